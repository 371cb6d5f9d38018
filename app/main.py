"""The application: routers, middleware and error handlers around one lifespan."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import Scope

from app.api import (
    audit_routes,
    challenge_routes,
    employee_routes,
    policy_routes,
    recognition_routes,
    service_routes,
)
from app.api.body_limit import BodyLimitMiddleware
from app.api.error_boundary import ErrorBoundaryMiddleware
from app.api.local_callers import LocalCallersMiddleware
from app.api.metrics import MetricsMiddleware
from app.api.photo_gate import PhotoGateMiddleware
from app.api.problems import FOREIGN_ORIGIN, UNAUTHENTICATED, add_problem_handlers, problem_docs
from app.api.request_id import RequestIdMiddleware
from app.api.security import KeyMiddleware, require_key
from app.api.slow_body import Patience, SlowBodyMiddleware
from app.bootstrap import Lifespan, make_lifespan
from app.settings import Settings
from app.vision.decode import DecodeLimits

VERSION = "0.1.0"
MAX_RECORD_BYTES = 64 * 1024
DESCRIPTION = """
Tells, for a face at a door, which employee this is or that it is nobody.

Send photos as multipart files or as base64 in JSON, under the same names; where one photo is
enough, the picture itself may be the body (`image/*`). Errors are `application/problem+json`
(RFC 9457) with a stable `code`. A stranger is an answer (`"decision": "unknown"`), not an error.

A photo is a JPEG, PNG, WebP, BMP, HEIC or AVIF file; of an animation the first picture counts. It
may have {photo_bytes:,} bytes and {photo_pixels:,} pixels, as HEIC or AVIF {video_pixels:,}; a
whole request {request_bytes:,} bytes, base64 included.
"""


def body_limits(settings: Settings) -> Callable[[Scope], int]:
    """Return how many bytes the body of a request may have: few, unless it carries photos."""
    most = settings.max_request_bytes

    def limit(scope: Scope) -> int:
        return most if recognition_routes.photo_route(scope) else min(most, MAX_RECORD_BYTES)

    return limit


def body_patience(with_photos: Patience) -> Callable[[Scope], Patience]:
    """Return how long a body may take: less for a record than for photos."""
    with_record = dataclasses.replace(with_photos, seconds=with_photos.seconds / 3)

    def patience(scope: Scope) -> Patience:
        return with_photos if recognition_routes.photo_route(scope) else with_record

    return patience


def create_app(
    settings: Settings, lifespan: Lifespan | None = None, patience: Patience | None = None
) -> FastAPI:
    """Return the application; its resources are built when it starts.

    ``lifespan`` builds them from something else than the settings; ``patience`` with photos that
    come slowly is :class:`Patience`'s own unless given.
    """
    app = FastAPIOffline(
        title="Facegate",
        version=VERSION,
        description=DESCRIPTION.format(
            photo_bytes=settings.max_upload_bytes,
            photo_pixels=settings.max_photo_pixels,
            video_pixels=DecodeLimits(max_pixels=settings.max_photo_pixels).max_video_pixels,
            request_bytes=settings.max_request_bytes,
        ),
        lifespan=lifespan or make_lifespan(settings),
        swagger_ui_parameters={"tryItOutEnabled": True},
    )
    app.state.api_key = settings.required_api_key
    for router in (
        recognition_routes.router,
        employee_routes.router,
        policy_routes.router,
        audit_routes.router,
        challenge_routes.router,
    ):
        app.include_router(
            router,
            dependencies=[Depends(require_key)],
            responses=problem_docs(UNAUTHENTICATED, FOREIGN_ORIGIN),
        )
    app.include_router(service_routes.router, responses=problem_docs(FOREIGN_ORIGIN))
    add_problem_handlers(app)
    # The last one added is the outermost. Errors become answers within the last two, so that every
    # answer, also to a refused body or an unforeseen error, is counted and carries an id.
    app.add_middleware(
        PhotoGateMiddleware,
        photo_route=recognition_routes.photo_route,
    )
    app.add_middleware(SlowBodyMiddleware, patience=body_patience(patience or Patience()))
    app.add_middleware(BodyLimitMiddleware, max_bytes=body_limits(settings))
    app.add_middleware(KeyMiddleware, key=settings.required_api_key)
    if settings.required_api_key is None:
        app.add_middleware(LocalCallersMiddleware, any_host=settings.allow_anonymous)
    app.add_middleware(ErrorBoundaryMiddleware)
    app.add_middleware(MetricsMiddleware)
    app.add_middleware(RequestIdMiddleware)
    return app
