"""From a face that was found and measured to its shape in answers."""

from __future__ import annotations

from app.api.photos import schemas
from app.domain.faces import FaceQuality
from app.services.extraction import ExtractedFace


def quality_body(quality: FaceQuality) -> schemas.QualityBody:
    """Return a face's measures, rounded to what they are good for."""
    return schemas.QualityBody(
        size_pixels=round(quality.size_pixels, 1),
        sharpness=round(quality.sharpness, 1),
        brightness=round(quality.brightness, 1),
        yaw_degrees=round(quality.yaw_degrees, 1),
        pitch_degrees=round(quality.pitch_degrees, 1),
        roll_degrees=round(quality.roll_degrees, 1),
        detector_score=round(quality.detector_score, 4),
        recognisability=_rounded(quality.recognisability, 4),
        plainness=_rounded(quality.plainness, 4),
        clipped_shadows=_rounded(quality.clipped_shadows, 3),
        clipped_highlights=_rounded(quality.clipped_highlights, 3),
        contrast_to_noise=_rounded(quality.contrast_to_noise, 1),
        inside_share=_rounded(quality.inside_share, 3),
        proportion=_rounded(quality.proportion, 2),
    )


def _rounded(measure: float | None, digits: int) -> float | None:
    return None if measure is None else round(measure, digits)


def face_body(face: ExtractedFace) -> schemas.FaceBody:
    """Return the face that was used."""
    box = face.detection.box
    return schemas.FaceBody(
        box=schemas.BoxBody(
            x=round(box.x, 1),
            y=round(box.y, 1),
            width=round(box.width, 1),
            height=round(box.height, 1),
        ),
        landmarks=[(round(x, 1), round(y, 1)) for x, y in face.detection.landmarks],
        turned_degrees=face.detection.turned_degrees,
        quality=quality_body(face.quality),
        faces_found=face.faces_found,
    )
