"""The one table from domain errors to HTTP answers, as RFC 9457 problem details."""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.api.http.field_faults import field_faults
from app.api.http.request_id import request_id
from app.api.http.schemas import LookAlikeBody, PhotoFailureBody, ProblemBody
from app.domain import errors, photo_errors
from app.domain.audit import errors as audit_errors

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class ProblemKind:
    """How one error is answered."""

    status: int
    code: str
    title: str


def _kind(status: int, error: type[errors.FacegateError], title: str) -> ProblemKind:
    return ProblemKind(status, error.code, title)


#: Most special first is not needed: the exact class is looked up, then its bases.
PROBLEMS: dict[type[errors.FacegateError], ProblemKind] = {
    error: _kind(status, error, title)
    for error, status, title in [
        (photo_errors.UnsupportedPhotoTypeError, 415, "The photo is of no type that is decoded"),
        (photo_errors.UndecodablePhotoError, 422, "The photo cannot be decoded"),
        (photo_errors.PhotoCutError, 422, "A part of the photo is missing"),
        (photo_errors.PhotoTooManyBytesError, 413, "The photo has too many bytes"),
        (photo_errors.PhotoTooManyPixelsError, 413, "The photo has too many pixels"),
        (photo_errors.NoFaceFoundError, 422, "No face was found"),
        (photo_errors.SeveralFacesFoundError, 422, "More than one face was found"),
        (photo_errors.FaceTooSmallError, 422, "The face is too small"),
        (photo_errors.FaceBlurredError, 422, "The face is blurred"),
        (photo_errors.FaceTooDarkError, 422, "The face is too dark"),
        (photo_errors.FaceTooNoisyError, 422, "The face is lost in noise"),
        (photo_errors.FaceTooBrightError, 422, "The face is overexposed"),
        (photo_errors.FaceTurnedError, 422, "The face is turned away"),
        (photo_errors.FaceCutOffError, 422, "The face is not wholly in the picture"),
        (photo_errors.FaceDistortedError, 422, "The face is stretched"),
        (photo_errors.FaceUnrecognisableError, 422, "The face cannot be read"),
        (photo_errors.FaceCoveredError, 422, "The face is covered or altered"),
        (photo_errors.PhotoOfSomebodyElseError, 422, "The photo shows somebody else"),
        (photo_errors.PhotosDisagreeError, 422, "The photos show different people"),
        (photo_errors.PhotoAlreadyEnrolledError, 409, "The photo is enrolled already"),
        (photo_errors.PhotoError, 422, "The photo cannot be used"),
        (photo_errors.NoUsablePhotoError, 422, "No photo of the request can be used"),
        (photo_errors.TooManyPhotosError, 422, "Too many photos"),
        (errors.BurstOfSeveralPeopleError, 422, "The frames show several people"),
        (errors.LivenessNotConfiguredError, 503, "The service has no liveness check"),
        (errors.LivenessRequiredError, 428, "A passed liveness check is required"),
        (errors.LivenessFailedError, 422, "The frames do not answer the challenge"),
        (errors.RefusedAttemptError, 422, "The attempt was refused"),
        (errors.ChallengesOffError, 409, "The service gives no challenges"),
        (errors.ChallengeUnknownError, 404, "There is no such open challenge"),
        (errors.EmployeeNotFoundError, 404, "There is no such employee"),
        (errors.PhotoNotFoundError, 404, "There is no such photo"),
        (errors.EmployeeConflictError, 409, "The registry says otherwise"),
        (errors.EmployeeSuspendedError, 409, "The employee is suspended"),
        (errors.NoCurrentPhotoError, 409, "The employee cannot be recognised"),
        (errors.NameDiffersError, 409, "The id is enrolled under another name"),
        (errors.CardNumberDiffersError, 409, "The id is enrolled with another card"),
        (errors.EmployeeDeletedError, 409, "The employee was deleted meanwhile"),
        (errors.CardNotFoundError, 404, "Nobody has this card"),
        (errors.CardNumberTakenError, 409, "The card number is taken"),
        (errors.FaceAlreadyEnrolledError, 409, "The face is enrolled under another id"),
        (errors.LastPhotoError, 409, "An employee keeps at least one photo"),
        (errors.BusyError, 503, "The service is busy"),
        (errors.RegistryUnavailableError, 503, "The registry does not answer"),
        (errors.RegistryFullError, 503, "The registry's disk is full"),
        (errors.RegistryReadOnlyError, 503, "The registry cannot be written to"),
        (errors.RegistryInputOutputError, 503, "The registry's disk fails"),
        (errors.RegistryDamagedError, 503, "The registry is damaged"),
        (errors.RegistrySchemaError, 503, "The registry has another schema"),
        (errors.TemporaryStorageError, 503, "There is no room for temporary files"),
        (errors.NotReadyError, 503, "The service is not ready"),
        (errors.InvalidCursorError, 422, "The cursor is not valid"),
        (errors.UnsupportedRiskError, 422, "The data cannot support this risk"),
        (audit_errors.AuditRunningError, 409, "An audit runs already"),
        (audit_errors.AuditNotFoundError, 404, "There is no such audit"),
        (audit_errors.AuditNotFinishedError, 409, "The audit has no result"),
        (audit_errors.NothingToAuditError, 409, "There is nothing to audit"),
        (errors.ModelArtifactError, 500, "The recognition failed"),
        (errors.UnsupportedRuntimeError, 500, "The recognition failed"),
        (errors.DetectorArtifactError, 500, "The recognition failed"),
        (errors.FacegateError, 500, "The request failed"),
    ]
}

BAD_REQUEST = ProblemKind(400, "bad_request", "Bad Request")
INVALID_REQUEST = ProblemKind(422, "invalid_request", "The request is not valid")
UNAUTHENTICATED = ProblemKind(401, "unauthenticated", "A valid API key is required")
FOREIGN_ORIGIN = ProblemKind(403, "foreign_origin", "The request comes from another site")
TOO_LARGE = ProblemKind(413, "request_too_large", "The request has too many bytes")
TOO_SLOW = ProblemKind(408, "request_too_slow", "The request came too slowly")
UNSUPPORTED_MEDIA = ProblemKind(415, "media_type_unsupported", "Unsupported Media Type")
INTERNAL = ProblemKind(500, "internal", "The request failed")

#: What can be wrong with the body of a request that carries photos, whatever the photos show.
UPLOAD_PROBLEMS = (BAD_REQUEST, TOO_SLOW, TOO_LARGE, UNSUPPORTED_MEDIA, INVALID_REQUEST)

_HTTP_CODES = {
    400: BAD_REQUEST.code,
    401: UNAUTHENTICATED.code,
    404: "not_found",
    405: "method_not_allowed",
    413: TOO_LARGE.code,
    415: UNSUPPORTED_MEDIA.code,
}


#: No space, no quota, a file too large for the limits, no file descriptor: none of them a bug.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE}


class ApiError(HTTPException):
    """A fault of the HTTP exchange itself, which the domain knows nothing of.

    An ``HTTPException``, because FastAPI makes a 400 of any other error raised while it reads a
    body.
    """

    def __init__(
        self, kind: ProblemKind, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(kind.status, detail, headers)
        self.kind = kind


def kind_of(error: errors.FacegateError) -> ProblemKind:
    """Return how ``error`` is answered: by its own class or the nearest base in the table."""
    for ancestor in type(error).__mro__:
        if ancestor in PROBLEMS:
            return PROBLEMS[ancestor]
    return INTERNAL


def problem_response(
    kind: ProblemKind,
    detail: str,
    *,
    error: errors.FacegateError | None = None,
    fields: list[str] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Return the problem as JSON, with what ``error`` knows besides its words."""
    body = ProblemBody(
        type=f"urn:facegate:problem:{kind.code}",
        title=kind.title,
        status=kind.status,
        code=kind.code,
        detail=detail,
        request_id=request_id(),
        hint=_hint(error),
        candidates=_candidates(error),
        photos=_failures(error),
        fields=fields,
    )
    return JSONResponse(
        body.model_dump(exclude_none=True), kind.status, media_type=MEDIA_TYPE, headers=headers
    )


def _hint(error: errors.FacegateError | None) -> str | None:
    if isinstance(error, photo_errors.PhotoError | errors.FaceAlreadyEnrolledError):
        return error.hint
    return None


def _candidates(error: errors.FacegateError | None) -> list[LookAlikeBody] | None:
    if not isinstance(error, errors.FaceAlreadyEnrolledError):
        return None
    return [
        LookAlikeBody(employee_id=c.employee_id, full_name=c.full_name, similarity=c.similarity)
        for c in error.candidates
    ]


def _failures(error: errors.FacegateError | None) -> list[PhotoFailureBody] | None:
    if not isinstance(error, photo_errors.NoUsablePhotoError):
        return None
    return [
        PhotoFailureBody(position=f.position, code=f.code, message=f.message, hint=f.hint)
        for f in error.failures
    ]


def answer_to(error: Exception) -> JSONResponse:
    """Return the problem that stands for ``error``; what nobody foresaw is logged and bare."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        error = _no_room(error)
    if isinstance(error, errors.FacegateError):
        return _domain_error(error)
    if isinstance(error, ApiError):
        headers = dict(error.headers) if error.headers else None
        return problem_response(error.kind, error.detail, headers=headers)
    if isinstance(error, RequestValidationError):
        fields = field_faults(error.errors())
        detail = "; ".join(fields[:5])
        return problem_response(INVALID_REQUEST, detail, fields=fields[:50])
    if isinstance(error, HTTPException):
        code = _HTTP_CODES.get(error.status_code, "http_error")
        kind = ProblemKind(error.status_code, code, HTTPStatus(error.status_code).phrase)
        headers = dict(error.headers) if error.headers else None
        return problem_response(kind, str(error.detail), headers=headers)
    if isinstance(error, ClientDisconnect):  # nobody reads this, but it is counted
        return problem_response(BAD_REQUEST, "the body did not come to its end")
    return _failure(INTERNAL, error)


def _no_room(cause: OSError) -> errors.FacegateError:
    error = errors.TemporaryStorageError(f"no room for a temporary file: {cause.strerror}")
    error.__cause__ = cause
    return error


def _domain_error(error: errors.FacegateError) -> JSONResponse:
    kind = kind_of(error)
    if kind.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _failure(kind, error)
    headers = None
    if isinstance(
        error,
        errors.BusyError | errors.RegistryUnavailableError | errors.TemporaryStorageError,
    ):
        seconds = error.retry_after_seconds
        headers = None if seconds is None else {"Retry-After": str(seconds)}
    if isinstance(error, errors.RegistryUnavailableError | errors.TemporaryStorageError):
        logger.error("%s: %s", error, error.__cause__)
    return problem_response(kind, str(error), error=error, headers=headers)


def _failure(kind: ProblemKind, error: Exception) -> JSONResponse:
    logger.error("the request failed", exc_info=error)
    return problem_response(kind, "see the service's log under this request id")


async def _answer(_request: Request, error: Exception) -> JSONResponse:
    return answer_to(error)


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of ``app`` as a problem."""
    # Not Exception: Starlette answers that outside of all middleware; ErrorBoundaryMiddleware does.
    for kind in (errors.FacegateError, RequestValidationError, HTTPException):
        # A coroutine: a refusal must not wait for a thread.
        app.add_exception_handler(kind, _answer)


def problem_docs(*kinds: type[errors.FacegateError] | ProblemKind) -> dict[int | str, dict]:  # type: ignore[type-arg]
    """Return OpenAPI ``responses`` with one named example for each problem."""
    documented: dict[int | str, dict] = {}  # type: ignore[type-arg]
    for given in kinds:
        kind = given if isinstance(given, ProblemKind) else PROBLEMS[given]
        entry = documented.setdefault(
            kind.status,
            {
                "description": HTTPStatus(kind.status).phrase,
                "model": ProblemBody,
                "content": {MEDIA_TYPE: {"examples": {}}},
            },
        )
        entry["content"][MEDIA_TYPE]["examples"][kind.code] = {
            "summary": kind.title,
            "value": {
                "type": f"urn:facegate:problem:{kind.code}",
                "title": kind.title,
                "status": kind.status,
                "code": kind.code,
                "detail": kind.title.lower(),
                "request_id": "5b1f0c3e9a7d4e5f8a1b2c3d4e5f6a7b",
            },
        }
    return documented
