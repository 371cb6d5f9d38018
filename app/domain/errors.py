"""Everything that can go wrong, as facts; ``app.api.problems`` makes HTTP answers of them.

FacegateError
    PhotoError                      one photo cannot be used, and why
        UnsupportedPhotoTypeError
        UndecodablePhotoError
        PhotoTooManyBytesError
        PhotoTooManyPixelsError
        NoFaceFoundError
        SeveralFacesFoundError
        FaceTooSmallError
        FaceBlurredError
        FaceTooDarkError
        FaceTooBrightError
        FaceTurnedError
    NoUsablePhotoError              an enrolment in which every photo failed
    TooManyPhotosError
    BurstOfSeveralPeopleError
    LivenessNotConfiguredError      the policy wants a passed check, the service has none
    LivenessRequiredError           the policy wants a passed check, the request brings none
    LivenessFailedError
    ChallengesOffError              asked for or answered where there are none
    ChallengeUnknownError           answered already, expired or never given
    EmployeeNotFoundError
    PhotoNotFoundError
    EmployeeConflictError           the registry already says otherwise
    LastPhotoError                  an employee must keep one photo
    BusyError                       more work waits than may wait
    RegistryUnavailableError        the database does not answer
    NotReadyError                   the index does not reflect the registry
    InvalidCursorError
    UnsupportedRiskError            a promise that the data behind the model cannot support
    ModelArtifactError              a model file is not what its manifest says
    UnsupportedRuntimeError         the chosen runtime does not run on this machine
    DetectorArtifactError           the detector's file is missing or foreign
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class FacegateError(Exception):
    """Base of all errors of this service. ``code`` is stable; the message is for people."""

    code: ClassVar[str] = "error"


class PhotoError(FacegateError):
    """One photo cannot be used."""

    code = "photo_unusable"


class UnsupportedPhotoTypeError(PhotoError):
    """The bytes are not JPEG, PNG, WebP or BMP."""

    code = "photo_type_unsupported"


class UndecodablePhotoError(PhotoError):
    """The bytes start like a picture and do not decode as one."""

    code = "photo_undecodable"


class PhotoTooManyBytesError(PhotoError):
    """The file is larger than the service accepts."""

    code = "photo_too_many_bytes"


class PhotoTooManyPixelsError(PhotoError):
    """The header announces more pixels than the service decodes."""

    code = "photo_too_many_pixels"


class NoFaceFoundError(PhotoError):
    """The detector found no face."""

    code = "no_face"


class SeveralFacesFoundError(PhotoError):
    """More than one face, where exactly one is wanted."""

    code = "several_faces"


class FaceTooSmallError(PhotoError):
    """The face has too few pixels."""

    code = "face_too_small"


class FaceBlurredError(PhotoError):
    """The face is not sharp enough."""

    code = "face_blurred"


class FaceTooDarkError(PhotoError):
    """The face is too dark."""

    code = "face_too_dark"


class FaceTooBrightError(PhotoError):
    """The face is overexposed."""

    code = "face_too_bright"


class FaceTurnedError(PhotoError):
    """The face looks too far away from the camera."""

    code = "face_turned"


@dataclass(frozen=True)
class PhotoFailure:
    """Why the photo at ``position`` of a request was not used."""

    position: int
    code: str
    message: str


class NoUsablePhotoError(FacegateError):
    """No photo of an enrolment could be used, so nothing was stored."""

    code = "no_usable_photo"

    def __init__(self, failures: tuple[PhotoFailure, ...]) -> None:
        super().__init__("no photo of this request can be used; nothing was stored")
        self.failures = failures


class TooManyPhotosError(FacegateError):
    """More photos than one request, or one employee, may have."""

    code = "too_many_photos"


class BurstOfSeveralPeopleError(FacegateError):
    """The frames of one burst do not all show the same person."""

    code = "burst_of_several_people"


class LivenessNotConfiguredError(FacegateError):
    """The policy lets nobody in without a passed liveness check, and the service has none."""

    code = "liveness_not_configured"


class LivenessRequiredError(FacegateError):
    """The policy lets nobody in without a passed liveness check, and the request brings none."""

    code = "liveness_required"


class LivenessFailedError(FacegateError):
    """The frames do not answer the challenge as a living head would."""

    code = "liveness_failed"


class ChallengesOffError(FacegateError):
    """A challenge is asked for or answered where the service gives none."""

    code = "challenges_off"


class ChallengeUnknownError(FacegateError):
    """No such challenge is open: it was answered, has expired or was never given."""

    code = "challenge_unknown"


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
    """The database does not answer; nothing was changed, and it may be tried again."""

    code = "registry_unavailable"


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
