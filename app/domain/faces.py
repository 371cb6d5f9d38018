"""Faces as facts: where they are in a picture, what they look like, whether they can be used."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from app.domain.photo_errors import (
    FaceBlurredError,
    FaceCoveredError,
    FaceCutOffError,
    FaceDistortedError,
    FaceTooBrightError,
    FaceTooDarkError,
    FaceTooNoisyError,
    FaceTooSmallError,
    FaceTurnedError,
    FaceUnrecognisableError,
)

#: A decoded photo: uint8 RGB ``(height, width, 3)``, upright.
Picture = npt.NDArray[np.uint8]
#: Degrees, clockwise.
QuarterTurn = Literal[0, 90, 180, 270]


@dataclass(frozen=True)
class DecodedPhoto:
    """A picture, which may be the photo reduced, and the upright photo's own size in pixels."""

    picture: Picture
    width: int
    height: int

    @property
    def scale(self) -> float:
        """How many pixels of the photo one pixel of the picture is; 1 or more."""
        return self.width / int(self.picture.shape[1])


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the upright photo; it may reach beyond the border."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """The area in square pixels."""
        return self.width * self.height

    def scaled(self, scale: float) -> Box:
        """Return the rectangle in a picture ``scale`` times as large."""
        return Box(self.x * scale, self.y * scale, self.width * scale, self.height * scale)


@dataclass(frozen=True)
class Detection:
    """A face in a photo. ``landmarks``: left eye, right eye, nose, left and right mouth corner.

    Left and right are as seen in the image. ``score`` is the detector's confidence, 0 to 1.
    ``aspect``: width over height of the face's own box, as it is when the face is turned upright;
    None where that was not measured.
    """

    box: Box
    landmarks: tuple[tuple[float, float], ...]
    score: float
    aspect: float | None = None

    @property
    def turned_degrees(self) -> QuarterTurn:
        """The quarter turn, clockwise, at which the face stands in the photo."""
        left, right, _, mouth_left, mouth_right = self.landmarks
        across = right[0] - left[0] + mouth_right[0] - mouth_left[0]
        down = right[1] - left[1] + mouth_right[1] - mouth_left[1]
        quarters = round(math.degrees(math.atan2(down, across)) / 90) % 4
        return cast(QuarterTurn, 90 * quarters)

    def scaled(self, scale: float) -> Detection:
        """Return the same face in a picture ``scale`` times as large."""
        landmarks = tuple((x * scale, y * scale) for x, y in self.landmarks)
        return Detection(self.box.scaled(scale), landmarks, self.score, self.aspect)


@dataclass(frozen=True)
class FoundFaces:
    """The faces of a photo in pixels of the picture that it was decoded to, largest first."""

    photo: DecodedPhoto
    detections: list[Detection]


@dataclass(frozen=True)
class FaceQuality:
    """Measured facts of one face.

    ``size_pixels``: the shorter side of its box. ``sharpness``: variance of the Laplacian of the
    112 px crop's luma (Pech-Pacheco et al., ICPR 2000), raised where a face in little light has
    less contrast than most. ``brightness``: mean luma of the crop's middle, 0 to 255; that of a
    dark skin is low in the best light, so nothing is refused for it.
    ``yaw_degrees``, ``pitch_degrees``: rough pose from five landmarks, positive to the right and
    down as seen in the image; ``roll_degrees``: in-plane turn. ``detector_score``: 0 to 1.
    ``clipped_shadows``, ``clipped_highlights``: shares of the crop's middle that hold no tones any
    more, 0 to 1; ``contrast_to_noise``: how far its tones differ over the noise, both standard
    deviations. ``inside_share``: how much of the aligned crop lies within the picture, 0 to 1.
    ``proportion``: height over width of the face by its landmarks and its box, over what is usual;
    1 is a face as it is, more is one that is stretched upwards. These five are None for an enrolled
    photo, which does not store them.
    ``recognisability``: how far the embedding lies from what the model cannot read, 0 to 1; None
    before it was embedded, and for a model that does not tell.
    ``plainness``: how surely the face is neither covered nor altered, 0 to 1; None for a model that
    does not tell, and for an enrolled photo.
    """

    size_pixels: float
    sharpness: float
    brightness: float
    yaw_degrees: float
    pitch_degrees: float
    roll_degrees: float
    detector_score: float
    clipped_shadows: float | None = None
    clipped_highlights: float | None = None
    contrast_to_noise: float | None = None
    inside_share: float | None = None
    proportion: float | None = None
    recognisability: float | None = None
    plainness: float | None = None


@dataclass(frozen=True)
class FaceCrop:
    """The aligned face: uint8 RGB ``(3, 112, 112)``, and the quality of what it was cut from."""

    pixels: npt.NDArray[np.uint8]
    quality: FaceQuality


@dataclass(frozen=True)
class QualityLimits:
    """What a face must have to be used. The model says what is the least of the last two."""

    min_size_pixels: float
    min_sharpness: float
    max_clipped_shadows: float
    max_clipped_highlights: float
    min_contrast_to_noise: float
    max_yaw_degrees: float
    max_pitch_degrees: float
    min_inside_share: float
    min_proportion: float
    max_proportion: float
    min_recognisability: float = 0.0
    min_plainness: float = 0.0


#: For a photo taken once and compared for years. `python -m training study quality-limits` prints
#: how many photos of each group every one of these limits refuses.
ENROLLMENT_LIMITS = QualityLimits(
    min_size_pixels=40.0,
    min_sharpness=25.0,
    max_clipped_shadows=0.4,
    max_clipped_highlights=0.4,
    min_contrast_to_noise=5.0,
    max_yaw_degrees=55.0,
    max_pitch_degrees=30.0,
    min_inside_share=0.8,
    min_proportion=0.89,
    max_proportion=1.25,
)

#: For people at the door: only what cannot be recognised at all.
VERIFICATION_LIMITS = QualityLimits(
    min_size_pixels=24.0,
    min_sharpness=15.0,
    max_clipped_shadows=0.6,
    max_clipped_highlights=0.6,
    min_contrast_to_noise=3.0,
    max_yaw_degrees=70.0,
    max_pitch_degrees=40.0,
    min_inside_share=0.6,
    min_proportion=0.85,
    max_proportion=1.3,
)


def require_quality(quality: FaceQuality, limits: QualityLimits) -> None:
    """Raise the first ``PhotoError`` that applies; it says what was measured and what is needed.

    Measured values are rounded away from the limit, so that no message asks for what it reports.
    """
    if quality.size_pixels < limits.min_size_pixels:
        raise FaceTooSmallError(
            f"the face is {math.floor(quality.size_pixels)} px, "
            f"{math.ceil(limits.min_size_pixels)} px are needed"
        )
    _require_tones(quality, limits)
    if quality.sharpness < limits.min_sharpness:
        raise FaceBlurredError(
            f"the face has sharpness {math.floor(quality.sharpness)}, "
            f"{math.ceil(limits.min_sharpness)} is needed"
        )
    if abs(quality.yaw_degrees) > limits.max_yaw_degrees:
        raise FaceTurnedError(
            f"the face is turned {math.ceil(abs(quality.yaw_degrees))} degrees to a side, "
            f"{math.floor(limits.max_yaw_degrees)} is the most"
        )
    if abs(quality.pitch_degrees) > limits.max_pitch_degrees:
        raise FaceTurnedError(
            f"the face is turned {math.ceil(abs(quality.pitch_degrees))} degrees up or down, "
            f"{math.floor(limits.max_pitch_degrees)} is the most"
        )
    _require_geometry(quality, limits)


def require_recognisable(detection: Detection, quality: FaceQuality, limits: QualityLimits) -> None:
    """Raise ``FaceUnrecognisableError`` where the embedded face is below the limit.

    A face that lies on its side or head in the picture is called turned instead.
    """
    measured = quality.recognisability
    if measured is None or measured >= limits.min_recognisability:
        return
    figures = (
        f"recognisability {math.floor(1000 * measured) / 1000:.3f}, "
        f"{math.ceil(1000 * limits.min_recognisability) / 1000:.3f} is needed"
    )
    if detection.turned_degrees:
        raise FaceTurnedError(
            f"the face is turned by {detection.turned_degrees} degrees in the picture and cannot "
            f"be read so ({figures})"
        )
    raise FaceUnrecognisableError(f"the face has {figures}")


def require_plain(quality: FaceQuality, limits: QualityLimits) -> None:
    """Raise ``FaceCoveredError`` where a face is covered or altered, as far as that was measured.

    Last of all, after what says more exactly what is wrong with a picture.
    """
    measured = quality.plainness
    if measured is not None and measured < limits.min_plainness:
        raise FaceCoveredError(
            f"the face has plainness {math.floor(1000 * measured) / 1000:.3f}, "
            f"{math.ceil(1000 * limits.min_plainness) / 1000:.3f} is needed"
        )


def _require_geometry(quality: FaceQuality, limits: QualityLimits) -> None:
    """Raise where the picture shows only a part of the face, or a stretched one.

    Both are read well enough to be taken for a face and too badly to tell faces apart. What was
    not measured refuses nobody.
    """
    inside, proportion = quality.inside_share, quality.proportion
    if inside is not None and inside < limits.min_inside_share:
        raise FaceCutOffError(
            f"{math.floor(100 * inside)} % of the face is in the picture, "
            f"{math.ceil(100 * limits.min_inside_share)} % is needed"
        )
    if proportion is None:
        return
    if proportion < limits.min_proportion:
        raise FaceDistortedError(
            f"the face has {math.floor(100 * proportion)} % of the height that belongs to its "
            f"width, {math.ceil(100 * limits.min_proportion)} % is the least"
        )
    if proportion > limits.max_proportion:
        shown = f"{math.ceil(100 * proportion)}" if math.isfinite(proportion) else "over 1000"
        raise FaceDistortedError(
            f"the face has {shown} % of the height that belongs to its width, "
            f"{math.floor(100 * limits.max_proportion)} % is the most"
        )


def _require_tones(quality: FaceQuality, limits: QualityLimits) -> None:
    """Raise where too much of the exposure is lost; what was not measured refuses nobody."""
    dark, bright = quality.clipped_shadows, quality.clipped_highlights
    clear = quality.contrast_to_noise
    if dark is not None and dark > limits.max_clipped_shadows:
        raise FaceTooDarkError(
            f"{math.ceil(100 * dark)} % of the face is lost in shadow, "
            f"at most {math.floor(100 * limits.max_clipped_shadows)} % may be"
        )
    if bright is not None and bright > limits.max_clipped_highlights:
        raise FaceTooBrightError(
            f"{math.ceil(100 * bright)} % of the face is overexposed, "
            f"at most {math.floor(100 * limits.max_clipped_highlights)} % may be"
        )
    if clear is not None and clear < limits.min_contrast_to_noise:
        raise FaceTooNoisyError(
            f"the face stands out from the noise {math.floor(10 * clear) / 10:g} times, "
            f"{limits.min_contrast_to_noise:g} times is needed"
        )
