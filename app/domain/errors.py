"""Everything that can go wrong, as facts; ``app.api.http.problems`` makes HTTP answers of them.

FacegateError
    EmployeeNotFoundError
        CardNotFoundError
    PhotoNotFoundError
    EmployeeConflictError           the registry already says otherwise
        EmployeeSuspendedError
        NoCurrentPhotoError
        NameDiffersError
        CardNumberDiffersError
        CardNumberTakenError
        EmployeeDeletedError
    FaceAlreadyEnrolledError        the face is enrolled under another id
    LastPhotoError                  an employee must keep one photo
    BusyError                       more work waits than may wait
    RegistryUnavailableError        the database does not answer
        RegistryFullError
        RegistryReadOnlyError
        RegistryInputOutputError
        RegistryDamagedError
        RegistrySchemaError
    NotReadyError                   the index does not reflect the registry
    UnsupportedRiskError            a promise that the data behind the model cannot support
    InvalidCursorError
    ModelArtifactError              a model file is not what its manifest says
    UnsupportedRuntimeError         the chosen runtime does not run on this machine
    DetectorArtifactError           the detector's file is missing or foreign
    RefusedAttemptError
        BurstOfSeveralPeopleError
        LivenessRequiredError
        LivenessFailedError
        ChallengeUnknownError
    LivenessNotConfiguredError
    ChallengesOffError
    TemporaryStorageError

Those of audits are in app.domain.audit.errors, those of photos in app.domain.photo_errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class FacegateError(Exception):
    """Base of all errors of this service. ``code`` is stable; the message is for people."""

    code: ClassVar[str] = "error"


class EmployeeNotFoundError(FacegateError):
    """No employee has this id."""

    code = "employee_not_found"

    def __init__(self, employee_id: str) -> None:
        super().__init__(f"no employee has the id {employee_id!r}")
        self.employee_id = employee_id


class PhotoNotFoundError(FacegateError):
    """The employee has no such photo."""

    code = "photo_not_found"


class EmployeeConflictError(FacegateError):
    """The registry already holds something that contradicts the request."""

    code = "employee_conflict"


@dataclass(frozen=True)
class LookAlike:
    """An enrolled employee that a face resembles as much as the person themself would."""

    employee_id: str
    full_name: str
    similarity: float


class FaceAlreadyEnrolledError(FacegateError):
    """The face is enrolled under another id already; ``candidates``: the most similar first."""

    code = "face_already_enrolled"
    advice: ClassVar[str] = (
        "add the photos under the id that the person has; if these are two people, send "
        "confirm_distinct: true, and they are kept as look-alikes"
    )

    def __init__(self, candidates: tuple[LookAlike, ...], threshold: float) -> None:
        nearest = candidates[0]
        super().__init__(
            f"the face is enrolled as {nearest.employee_id!r}: similarity "
            f"{nearest.similarity:.3f}, less than {threshold:.3f} is needed of another person"
        )
        self.candidates = candidates

    @property
    def hint(self) -> str:
        """The measured and the wanted value, and what to do about it."""
        return f"{self}: {self.advice}"


class LastPhotoError(FacegateError):
    """The last photo of an employee cannot be deleted alone."""

    code = "last_photo"


class BusyError(FacegateError):
    """Too much work waits already; try again after ``retry_after_seconds``."""

    code = "busy"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("the service is busy; try again shortly")
        self.retry_after_seconds = retry_after_seconds


class RegistryUnavailableError(FacegateError):
    """The database does not answer; nothing was changed.

    ``retry_after_seconds`` is None where trying again does not help before somebody has mended it.
    """

    code = "registry_unavailable"
    retry_after_seconds: ClassVar[int | None] = 5


class NotReadyError(FacegateError):
    """The service cannot decide now: its index does not reflect the registry."""

    code = "not_ready"


class UnsupportedRiskError(FacegateError):
    """The stated risk is rarer than the data behind the model can support."""

    code = "risk_not_supported"


class InvalidCursorError(FacegateError):
    """A paging cursor that this service did not issue."""

    code = "invalid_cursor"


class ModelArtifactError(FacegateError):
    """A model file is not what its manifest says."""

    code = "model_artifact"


class UnsupportedRuntimeError(FacegateError):
    """The chosen runtime of the embedder does not run on this machine."""

    code = "runtime_unsupported"


class DetectorArtifactError(FacegateError):
    """The detector's weights are missing or not the expected ones."""

    code = "detector_artifact"


class EmployeeSuspendedError(EmployeeConflictError):
    """The claimed employee is suspended and passes nowhere."""

    code = "employee_suspended"


class NoCurrentPhotoError(EmployeeConflictError):
    """The claimed employee has no photo that the present model has seen."""

    code = "no_current_photo"


class NameDiffersError(EmployeeConflictError):
    """The id is enrolled under another name."""

    code = "name_differs"


class CardNumberDiffersError(EmployeeConflictError):
    """The id is enrolled with another card number."""

    code = "card_number_differs"


class CardNumberTakenError(EmployeeConflictError):
    """Another employee has this card number."""

    code = "card_number_taken"


class EmployeeDeletedError(EmployeeConflictError):
    """The employee was deleted while photos for it were looked at; nothing is made anew."""

    code = "employee_deleted"


class CardNotFoundError(EmployeeNotFoundError):
    """No employee has this card number."""

    code = "card_not_found"

    def __init__(self, card_number: str) -> None:
        super().__init__("")
        self.args = (f"no employee has the card number {card_number!r}",)


class RefusedAttemptError(FacegateError):
    """An attempt to pass that is refused for how it was made, not for what its pictures are worth.

    Many of them at one door are somebody trying.
    """

    code = "attempt_refused"


class BurstOfSeveralPeopleError(RefusedAttemptError):
    """The frames of one burst do not all show the same person."""

    code = "burst_of_several_people"


class LivenessNotConfiguredError(FacegateError):
    """The policy lets nobody in without a passed liveness check, and the service has none."""

    code = "liveness_not_configured"


class LivenessRequiredError(RefusedAttemptError):
    """The policy lets nobody in without a passed liveness check, and the request brings none."""

    code = "liveness_required"


class LivenessFailedError(RefusedAttemptError):
    """The frames do not answer the challenge as a living head would."""

    code = "liveness_failed"


class ChallengesOffError(FacegateError):
    """A challenge is asked for or answered where the service gives none."""

    code = "challenges_off"


class ChallengeUnknownError(RefusedAttemptError):
    """No such challenge is open: it was answered, has expired or was never given."""

    code = "challenge_unknown"


class RegistryFullError(RegistryUnavailableError):
    """There is no room on the database's disk."""

    code = "registry_full"
    retry_after_seconds: ClassVar[int | None] = 60


class RegistryReadOnlyError(RegistryUnavailableError):
    """The database cannot be written to: by its file's permissions, its mount or its role."""

    code = "registry_read_only"
    retry_after_seconds: ClassVar[int | None] = None


class RegistryInputOutputError(RegistryUnavailableError):
    """The database's disk fails."""

    code = "registry_io_error"
    retry_after_seconds: ClassVar[int | None] = 30


class RegistryDamagedError(RegistryUnavailableError):
    """The database's file is damaged, or is no database."""

    code = "registry_damaged"
    retry_after_seconds: ClassVar[int | None] = None


class RegistrySchemaError(RegistryUnavailableError):
    """The database is not one that this version of the service can work with."""

    code = "registry_schema"
    retry_after_seconds: ClassVar[int | None] = None


class TemporaryStorageError(FacegateError):
    """There is no room, or no folder, to hold an upload while it is read."""

    code = "temporary_storage"
    retry_after_seconds: ClassVar[int | None] = 60
