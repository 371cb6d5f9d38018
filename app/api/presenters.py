"""From results of the use cases to the shapes of answers."""

from __future__ import annotations

from app.api import schemas
from app.api.scene_schemas import FrameBody
from app.domain.employees import Employee, EnrolledPhoto
from app.domain.faces import FaceQuality
from app.services.enrollment import EnrollmentResult
from app.services.extraction import ExtractedFace
from app.services.scenes import SeenFace


def employee_body(employee: Employee) -> schemas.EmployeeBody:
    """Return an employee as answered."""
    return schemas.EmployeeBody(
        employee_id=employee.employee_id,
        full_name=employee.full_name,
        card_number=employee.card_number,
        status=employee.status,
        photo_count=employee.photo_count,
        created_at=employee.created_at,
        updated_at=employee.updated_at,
    )


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
        recognisability=(
            None if quality.recognisability is None else round(quality.recognisability, 4)
        ),
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


def frame_bodies(face: SeenFace) -> list[FrameBody]:
    """Return what became of every frame, in their order."""
    return [
        FrameBody(position=frame.position, used=frame.used, code=frame.code, hint=frame.hint)
        for frame in face.frames
    ]


def photo_body(photo: EnrolledPhoto) -> schemas.PhotoRecordBody:
    """Return the record of an enrolled photo."""
    return schemas.PhotoRecordBody(
        photo_id=photo.photo_id,
        quality=quality_body(photo.quality),
        model_version=photo.model_version,
        created_at=photo.created_at,
    )


def enroll_response(
    result: EnrollmentResult, model_version: str, request_id: str
) -> schemas.EnrollResponse:
    """Return what became of an enrolment, photo by photo in the order of the request."""
    photos = [
        schemas.EnrolledPhotoBody(
            position=one.position,
            status="already_enrolled",
            photo_id=one.photo_id,
            face=face_body(one.face),
            code="already_enrolled",
            message="this photo is enrolled already and was not counted twice",
        )
        for one in result.repeated
    ]
    photos += [
        schemas.EnrolledPhotoBody(
            position=one.position,
            status="enrolled",
            photo_id=one.photo.photo_id,
            face=face_body(one.face),
        )
        for one in result.enrolled
    ]
    photos += [
        schemas.EnrolledPhotoBody(
            position=failure.position,
            status="rejected",
            code=failure.code,
            message=failure.message,
            hint=failure.hint,
        )
        for failure in result.failures
    ]
    return schemas.EnrollResponse(
        employee=employee_body(result.employee),
        created=result.created,
        enrolled_count=len(result.enrolled),
        already_enrolled_count=len(result.repeated),
        rejected_count=len(result.failures),
        look_alikes=list(result.look_alikes),
        photos=sorted(photos, key=lambda photo: photo.position),
        model_version=model_version,
        request_id=request_id,
    )
