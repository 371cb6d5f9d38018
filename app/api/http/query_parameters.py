"""Refuses query parameters that a route does not have: a misspelt filter lists everybody."""

from __future__ import annotations

from collections import Counter

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.api.http.problems import INVALID_REQUEST, ApiError


async def refuse_unknown_parameters(request: Request) -> None:
    """Raise ``ApiError`` naming each parameter that is unknown, or given more than once."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    if not given:
        return
    route = request.scope["route"]
    known = _query_parameters(route.dependant) if isinstance(route, APIRoute) else set()
    faults = [f"query.{name}: is not a parameter of this request" for name in given.keys() - known]
    faults += [f"query.{name}: given twice" for name in given.keys() & known if given[name] > 1]
    if faults:
        raise ApiError(INVALID_REQUEST, "; ".join(sorted(faults)[:5]))


def _query_parameters(dependant: Dependant) -> set[str]:
    own = {parameter.alias for parameter in dependant.query_params}
    return own.union(*(_query_parameters(each) for each in dependant.dependencies))
