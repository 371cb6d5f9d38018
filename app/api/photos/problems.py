"""What can be wrong with one photo on which an answer depends."""

from __future__ import annotations

from app.api.http.problems import UPLOAD_PROBLEMS
from app.domain import errors, photo_errors

PHOTO_PROBLEMS = (
    photo_errors.UnsupportedPhotoTypeError,
    photo_errors.UndecodablePhotoError,
    photo_errors.PhotoCutError,
    photo_errors.PhotoTooManyBytesError,
    photo_errors.PhotoTooManyPixelsError,
    photo_errors.NoFaceFoundError,
    photo_errors.SeveralFacesFoundError,
    photo_errors.FaceTooSmallError,
    photo_errors.FaceBlurredError,
    photo_errors.FaceTooDarkError,
    photo_errors.FaceTooNoisyError,
    photo_errors.FaceTooBrightError,
    photo_errors.FaceTurnedError,
    photo_errors.FaceCutOffError,
    photo_errors.FaceDistortedError,
    photo_errors.FaceUnrecognisableError,
    errors.BusyError,
    *UPLOAD_PROBLEMS,
)
