"""What can be wrong with a photo, and with an enrollment's photos, as facts.

PhotoError                      one photo cannot be used, and why
    UnsupportedPhotoTypeError
    UndecodablePhotoError
    PhotoCutError
    PhotoTooManyBytesError
    PhotoTooManyPixelsError
    NoFaceFoundError
    SeveralFacesFoundError
    FaceTooSmallError
    FaceBlurredError
    FaceTooDarkError
        FaceTooNoisyError       by noise, which a camera may make in good light too
    FaceTooBrightError
    FaceTurnedError
    FaceCutOffError
    FaceDistortedError
    FaceCoveredError            by clothes, a mask, a hand, or altered by a filter or by movement
    FaceUnrecognisableError     as far as the model can tell, it could be anybody
    PhotoOfSomebodyElseError    unlike the other photos or those enrolled
    PhotosDisagreeError         unlike each other, and nobody can tell which is wrong
    PhotoAlreadyEnrolledError   the employee has it
NoUsablePhotoError              an enrollment in which every photo failed
TooManyPhotosError
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.domain.errors import FacegateError


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
    """The bytes are not JPEG, PNG, WebP, BMP, HEIC or AVIF."""

    code = "photo_type_unsupported"
    advice = "save it as JPEG or PNG"


class UndecodablePhotoError(PhotoError):
    """The bytes start like a picture and do not decode as one."""

    code = "photo_undecodable"
    advice = "save or send the file anew"


class PhotoCutError(PhotoError):
    """The file ends before its picture does, or a part of the picture's data is missing."""

    code = "photo_cut"
    advice = "send all of the file again, for only a part of it came"


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
    advice = "come closer and look into the camera, uncovered, in even light"


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


class FaceTooNoisyError(FaceTooDarkError):
    """The face hardly stands out from the noise: too little light for what the camera is set to."""

    code = "face_too_noisy"
    advice = "give it more light, or set the camera better: the picture is noisy"


class FaceTooBrightError(PhotoError):
    """The face is overexposed."""

    code = "face_too_bright"
    advice = "step out of the direct light"


class FaceTurnedError(PhotoError):
    """The face looks too far away from the camera."""

    code = "face_turned"
    advice = "look straight into the camera, and hold the picture upright"


class FaceCutOffError(PhotoError):
    """Too much of the face lies beyond the border of the picture."""

    code = "face_cut_off"
    advice = "step back or to the middle, so that the whole face is in the picture"


class FaceDistortedError(PhotoError):
    """The face is stretched: its height and width do not belong together."""

    code = "face_distorted"
    advice = "send the picture as the camera took it, neither stretched nor squeezed"


class FaceUnrecognisableError(PhotoError):
    """The model cannot read the face: pictures like it resemble each other, of anybody."""

    code = "face_unrecognisable"
    advice = (
        "show the whole face upright and uncovered, in even light and in focus, and send the "
        "picture as the camera took it"
    )


class FaceCoveredError(PhotoError):
    """The face is covered or altered: other people who are so in the same way look like it."""

    code = "face_covered"
    advice = (
        "take off what hides a part of the face (mask, scarf, dark glasses, hat), hold still, and "
        "send the picture as the camera took it, without filters or drawings"
    )


class PhotoOfSomebodyElseError(PhotoError):
    """The photo shows somebody else than the others of the request or those enrolled."""

    code = "photo_of_somebody_else"
    advice = "leave it out, or enroll that person under an id of their own"


class PhotosDisagreeError(PhotoError):
    """The photos of a request show different people, and no majority says which are right."""

    code = "photos_disagree"
    advice = "send three or more photos of one person that look alike"


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


class PhotoAlreadyEnrolledError(PhotoError):
    """The employee has this very picture already, as the same file or encoded anew."""

    code = "already_enrolled"
    advice = "nothing is to be done, or take a new photo: only another one adds anything"


class NoUsablePhotoError(FacegateError):
    """No photo of an enrollment could be used, so nothing was stored."""

    code = "no_usable_photo"

    def __init__(self, failures: tuple[PhotoFailure, ...]) -> None:
        super().__init__("no photo of this request can be used; nothing was stored")
        self.failures = failures


class TooManyPhotosError(FacegateError):
    """More photos than one request, or one employee, may have."""

    code = "too_many_photos"
