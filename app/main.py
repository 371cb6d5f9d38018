"""The application: routers, middleware and error handlers around one lifespan."""

from __future__ import annotations

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

from app.api import employee_routes, recognition_routes, service_routes
from app.api.body_limit import BodyLimitMiddleware
from app.api.metrics import MetricsMiddleware
from app.api.problems import UNAUTHENTICATED, add_problem_handlers, problem_docs
from app.api.request_id import RequestIdMiddleware
from app.api.security import require_key
from app.bootstrap import Lifespan, make_lifespan
from app.settings import Settings

VERSION = "0.1.0"
DESCRIPTION = """
Tells, for a face at a door, which employee this is or that it is nobody.

Send photos as multipart files or as base64 in JSON, under the same names. Errors are
`application/problem+json` (RFC 9457) with a stable `code`. A stranger is an answer
(`"decision": "unknown"`), not an error.
"""


def create_app(settings: Settings, lifespan: Lifespan | None = None) -> FastAPI:
    """Return the application; its resources are built when it starts.

    ``lifespan`` builds them from something else than the settings.
    """
    app = FastAPIOffline(
        title="Facegate",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan or make_lifespan(settings),
        swagger_ui_parameters={"tryItOutEnabled": True},
    )
    app.state.api_key = settings.required_api_key
    for router in (recognition_routes.router, employee_routes.router):
        app.include_router(
            router, dependencies=[Depends(require_key)], responses=problem_docs(UNAUTHENTICATED)
        )
    app.include_router(service_routes.router)
    add_problem_handlers(app)
    # The last one added is the outermost: every answer, a refused body's too, carries an id.
    app.add_middleware(BodyLimitMiddleware, max_bytes=settings.max_request_bytes)
    app.add_middleware(MetricsMiddleware)
    app.add_middleware(RequestIdMiddleware)
    return app
