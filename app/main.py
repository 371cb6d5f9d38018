"""The application: routers, middleware and error handlers around one lifespan."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from importlib import metadata

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline
from starlette.routing import Match
from starlette.types import Scope

from app.api.http.middleware.allowed_origins import AllowedOriginsMiddleware
from app.api.http.middleware.body import BodyMiddleware, Patience
from app.api.http.middleware.error_boundary import ErrorBoundaryMiddleware
from app.api.http.middleware.exchange_metrics import ExchangeMetricsMiddleware
from app.api.http.middleware.local_callers import LocalCallersMiddleware
from app.api.http.middleware.photo_gate import PhotoGateMiddleware
from app.api.http.middleware.request_target import RequestTargetMiddleware
from app.api.http.middleware.response_headers import ResponseHeadersMiddleware
from app.api.http.problems import (
    FOREIGN_ORIGIN,
    INVALID_REQUEST,
    UNAUTHENTICATED,
    add_problem_handlers,
    problem_docs,
)
from app.api.http.query_parameters import refuse_unknown_parameters
from app.api.http.request_id import RequestIdMiddleware
from app.api.http.security import KeyMiddleware, require_key
from app.api.routers import ROUTERS, photo_route
from app.api.status import routes as status
from app.api.status.docs_pages import add_docs_pages
from app.bootstrap import Lifespan, make_lifespan
from app.settings import MetricsAccess, Settings
from app.vision.decode import DecodeLimits

DISTRIBUTION = "facegate"  # the name in pyproject.toml
MAX_RECORD_BYTES = 64 * 1024
DOCS_ASSETS = "/static-offline-docs"  # where fastapi-offline puts them
DESCRIPTION = """
Tells, for a face at a door, which employee this is or that it is nobody.

Send photos as multipart files or as base64 in JSON, under the same names; where one photo is
enough, the picture itself may be the body (`image/*`). Errors are `application/problem+json`
(RFC 9457) with a stable `code`. A stranger is an answer (`"decision": "unknown"`), not an error.

A photo is a JPEG, PNG, WebP, BMP, HEIC or AVIF file; of an animation the first picture counts. It
may have {photo_bytes:,} bytes and {photo_pixels:,} pixels, as HEIC or AVIF {video_pixels:,}; a
whole request {request_bytes:,} bytes, base64 included.
"""


def body_limits(settings: Settings, app: FastAPI) -> Callable[[Scope], int | None]:
    """Return how many bytes the body of a request may have: few, unless it carries photos.

    None for what no route of ``app`` takes.
    """
    max_bytes = settings.max_request_bytes

    def limit(scope: Scope) -> int | None:
        if photo_route(scope):
            return max_bytes
        is_routed = any(route.matches(scope)[0] is Match.FULL for route in app.routes)
        return min(max_bytes, MAX_RECORD_BYTES) if is_routed else None

    return limit


def body_patience(with_photos: Patience) -> Callable[[Scope], Patience]:
    """Return how long a body may take: less for a record than for photos."""
    with_record = dataclasses.replace(with_photos, seconds=with_photos.seconds / 3)

    def patience(scope: Scope) -> Patience:
        return with_photos if photo_route(scope) else with_record

    return patience


def create_app(
    settings: Settings, lifespan: Lifespan | None = None, patience: Patience | None = None
) -> FastAPI:
    """Return the application; its resources are built when it starts.

    ``lifespan`` builds them from something else than the settings; ``patience`` with photos that
    come slowly is :class:`Patience`'s own unless given.
    """
    app = _make_app(settings, lifespan or make_lifespan(settings))
    app.state.api_key = settings.required_api_key
    _add_routes(app, settings)
    add_problem_handlers(app)
    # The last one added is the outermost. Errors become answers within the error boundary, so that
    # every answer, also to a refused body or an unforeseen error, is counted and carries an id.
    app.add_middleware(PhotoGateMiddleware, photo_route=photo_route)
    app.add_middleware(
        BodyMiddleware,
        max_bytes=body_limits(settings, app),
        patience=body_patience(patience or Patience()),
    )
    app.add_middleware(KeyMiddleware, key=settings.required_api_key)
    if settings.required_api_key is None:
        app.add_middleware(
            LocalCallersMiddleware,
            any_host=settings.allow_anonymous,
            allowed_origins=settings.allowed_origins,
        )
    app.add_middleware(ErrorBoundaryMiddleware)
    if settings.allowed_origins:
        app.add_middleware(AllowedOriginsMiddleware, origins=settings.allowed_origins)
    app.add_middleware(ExchangeMetricsMiddleware)
    app.add_middleware(ResponseHeadersMiddleware)
    app.add_middleware(RequestIdMiddleware)
    app.add_middleware(RequestTargetMiddleware, root_path=settings.root_path)
    return app


def installed_version() -> str:
    """Return the version in the package's metadata; "unknown" where only the sources are there."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "unknown"


def _make_app(settings: Settings, lifespan: Lifespan) -> FastAPI:
    """Return an application without routes but, where wanted, those of its documentation."""
    # Only the assets of the pages are the library's: the pages need a policy of their own.
    with_docs = partial(FastAPIOffline, None, None)
    without_docs = partial(FastAPI, openapi_url=None)
    app = (with_docs if settings.docs else without_docs)(
        title="Facegate",
        version=installed_version(),
        description=DESCRIPTION.format(
            photo_bytes=settings.max_upload_bytes,
            photo_pixels=settings.max_photo_pixels,
            video_pixels=DecodeLimits(max_pixels=settings.max_photo_pixels).max_video_pixels,
            request_bytes=settings.max_request_bytes,
        ),
        lifespan=lifespan,
        swagger_ui_parameters={"tryItOutEnabled": True},
        redirect_slashes=False,
    )
    if settings.docs:
        add_docs_pages(app, DOCS_ASSETS)
    return app


def _add_routes(app: FastAPI, settings: Settings) -> None:
    known_parameters = Depends(refuse_unknown_parameters)
    for router in ROUTERS:
        app.include_router(
            router,
            dependencies=[Depends(require_key), known_parameters],
            responses=problem_docs(UNAUTHENTICATED, FOREIGN_ORIGIN, INVALID_REQUEST),
        )
    app.include_router(
        status.router,
        dependencies=[known_parameters],
        responses=problem_docs(FOREIGN_ORIGIN, INVALID_REQUEST),
    )
    if settings.metrics is not MetricsAccess.OFF:
        guards = [Depends(require_key)] if settings.metrics is MetricsAccess.KEY else []
        kinds = [UNAUTHENTICATED] if guards else []
        app.include_router(
            status.metrics_router,
            dependencies=[*guards, known_parameters],
            responses=problem_docs(*kinds, FOREIGN_ORIGIN, INVALID_REQUEST),
        )
