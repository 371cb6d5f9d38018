"""Which requests carry photos."""

from __future__ import annotations

from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from app.api import claim_routes, employee_photo_routes, recognition_routes

#: Every route of these takes photos.
ROUTERS = (recognition_routes.router, claim_routes.router, employee_photo_routes.router)


def photo_route(scope: Scope) -> BaseRoute | None:
    """Return which of the routes that take photos a request is for, if any."""
    routes = (route for router in ROUTERS for route in router.routes)
    return next((route for route in routes if route.matches(scope)[0] is Match.FULL), None)
