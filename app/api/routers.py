"""All routers in the order of the documentation, and which requests carry photos."""

from __future__ import annotations

from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from app.api.audits import routes as audits
from app.api.challenges import routes as challenges
from app.api.employees import routes as employees
from app.api.policy import routes as policy
from app.api.recognition import routes as recognition

#: Every route of these takes photos.
PHOTO_ROUTERS = (employees.enroll_router, recognition.router, employees.photos_router)
#: Every route of these needs the key.
ROUTERS = (
    *PHOTO_ROUTERS,
    employees.router,
    policy.router,
    audits.router,
    challenges.router,
)


def photo_route(scope: Scope) -> BaseRoute | None:
    """Return which of the routes that take photos a request is for, if any."""
    routes = (route for router in PHOTO_ROUTERS for route in router.routes)
    return next((route for route in routes if route.matches(scope)[0] is Match.FULL), None)
