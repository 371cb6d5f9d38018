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
        FaceUnrecognisableError     as far as the model can tell, it could be anybody
        PhotoOfSomebodyElseError    unlike the other photos or those enrolled
        PhotosDisagreeError         unlike each other, and nobody can tell which is wrong
    NoUsablePhotoError              an enrolment in which every photo failed
    TooManyPhotosError
    EmployeeNotFoundError
    PhotoNotFoundError
    EmployeeConflictError           the registry already says otherwise
    FaceAlreadyEnrolledError        the face is enrolled under another id
    LastPhotoError                  an employee must keep one photo
    BusyError                       more work waits than may wait
    RegistryUnavailableError        the database does not answer
    NotReadyError                   the index does not reflect the registry
    InvalidCursorError
    UnsupportedRiskError            a promise that the data behind the model cannot support
    ModelArtifactError              a model file is not what its manifest says
    UnsupportedRuntimeError         the chosen runtime does not run on this machine
    DetectorArtifactError           the detector's file is missing or foreign

Those of audits are in app.domain.audit.errors, those of bursts and liveness in scene_errors, the
kinds of EmployeeConflictError in employee_errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class FacegateError(Exception):
    """Base of all errors of this service. ``code`` is stable; the message is for people."""

    code: ClassVar[str] = "error"


class PhotoError(FacegateError):
    """One photo cannot be used; the message says what was measured and what is wanted."""

    code = "photo_unusable"
    #: What a person in front of the camera, or with the file, can do.
    advice: ClassVar[str] = "take another photo"

    @property
    def hint(self) -> str:
        """The measured and the wanted value, and what to do about it."""
        return f"{self}: {self.advice}"


class UnsupportedPhotoTypeError(PhotoError):
    """The bytes are not JPEG, PNG, WebP or BMP."""

    code = "photo_type_unsupported"
    advice = "save it as JPEG, PNG, WebP or BMP"


class UndecodablePhotoError(PhotoError):
    """The bytes start like a picture and do not decode as one."""

    code = "photo_undecodable"
    advice = "save or send the file anew"


class PhotoTooManyBytesError(PhotoError):
    """The file is larger than the service accepts."""

    code = "photo_too_many_bytes"
    advice = "save it smaller or with more compression"


class PhotoTooManyPixelsError(PhotoError):
    """The header announces more pixels than the service decodes."""

    code = "photo_too_many_pixels"
    advice = "save it with fewer pixels"


class NoFaceFoundError(PhotoError):
    """The detector found no face."""

    code = "no_face"
    advice = "look into the camera, uncovered, in even light"


class SeveralFacesFoundError(PhotoError):
    """More than one face, where exactly one is wanted."""

    code = "several_faces"
    advice = "stand alone before the camera, or cut the photo to one face"


class FaceTooSmallError(PhotoError):
    """The face has too few pixels."""

    code = "face_too_small"
    advice = "step closer, or send a larger picture"


class FaceBlurredError(PhotoError):
    """The face is not sharp enough."""

    code = "face_blurred"
    advice = "hold still, let the camera focus, and clean its lens"


class FaceTooDarkError(PhotoError):
    """The face is too dark."""

    code = "face_too_dark"
    advice = "turn on a light or face the window"


class FaceTooBrightError(PhotoError):
    """The face is overexposed."""

    code = "face_too_bright"
    advice = "step out of the direct light"


class FaceTurnedError(PhotoError):
    """The face looks too far away from the camera."""

    code = "face_turned"
    advice = "look straight into the camera"


class FaceUnrecognisableError(PhotoError):
    """The model cannot read the face: pictures like this one resemble each other, whoever it is."""

    code = "face_unrecognisable"
    advice = (
        "show the whole face upright and uncovered, in even light and in focus, and send the "
        "picture as the camera took it"
    )


class PhotoOfSomebodyElseError(PhotoError):
    """The photo shows somebody else than the others of the request or those enrolled."""

    code = "photo_of_somebody_else"
    advice = "leave it out, or enrol that person under an id of their own"


class PhotosDisagreeError(PhotoError):
    """The photos of a request show different people, and no majority says which are right."""

    code = "photos_disagree"
    advice = "send three or more photos of one person, most of which are alike"


@dataclass(frozen=True)
class PhotoFailure:
    """Why the photo at ``position`` of a request was not used, and what can be done about it."""

    position: int
    code: str
    message: str
    hint: str

    @staticmethod
    def of(position: int, error: PhotoError) -> PhotoFailure:
        """Return what ``error`` says of the photo at ``position``."""
        return PhotoFailure(position, error.code, str(error), error.hint)


class NoUsablePhotoError(FacegateError):
    """No photo of an enrolment could be used, so nothing was stored."""

    code = "no_usable_photo"

    def __init__(self, failures: tuple[PhotoFailure, ...]) -> None:
        super().__init__("no photo of this request can be used; nothing was stored")
        self.failures = failures


class TooManyPhotosError(FacegateError):
    """More photos than one request, or one employee, may have."""

    code = "too_many_photos"


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
    """An enrolled employee whom a face resembles as much as the person themself would."""

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
