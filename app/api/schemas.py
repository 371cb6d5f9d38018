"""The shapes of requests and answers, as OpenAPI shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.api.enrollment_schemas import RequestBody
from app.api.identifiers import CardNumber, FullName
from app.api.scene_schemas import Base64Photo, FrameBody
from app.domain.employees import EmployeeStatus
from app.domain.faces import QuarterTurn
from app.domain.verdict import NextStep, Verdict
from app.services.scenes import Liveness

Probability = Annotated[float, Field(ge=0, le=1)]
Similarity = Annotated[float, Field(ge=-1, le=1, description="Cosine; higher is closer.")]


class CompareBody(RequestBody):
    """JSON body of ``POST /v1/compare``."""

    first: Base64Photo
    second: Base64Photo


class EmployeeChangeBody(RequestBody):
    """What to change of an employee; what is left out stays. A null or empty card is none."""

    full_name: FullName | None = None
    card_number: CardNumber | None = None
    status: EmployeeStatus | None = None


class EmployeeBody(BaseModel):
    """An employee."""

    employee_id: str
    full_name: str
    card_number: str | None
    status: EmployeeStatus
    photo_count: int
    created_at: datetime
    updated_at: datetime


class QualityBody(BaseModel):
    """Measured facts of a face."""

    size_pixels: float = Field(description="Shorter side of the face box.")
    sharpness: float = Field(description="Variance of the Laplacian, raised in little light.")
    brightness: float = Field(description="Mean luma, 0 to 255; nobody is refused for it.")
    yaw_degrees: float
    pitch_degrees: float
    roll_degrees: float
    detector_score: float
    recognisability: float | None = Field(
        ge=0,
        le=1,
        description="How far the face is from what the model cannot read (turned, mosaic, "
        "texture), 0 to 1; null for photos of another model.",
    )
    clipped_shadows: float | None = Field(
        description="Share of the face's middle that is too dark to hold tones, 0 to 1; null for "
        "an enrolled photo, of which it is not kept."
    )
    clipped_highlights: float | None = Field(
        description="Share of the face's middle that is overexposed, 0 to 1; null likewise."
    )
    contrast_to_noise: float | None = Field(
        description="How far the face's tones differ over the picture's noise; null likewise."
    )
    inside_share: float | None = Field(
        description="Share of the aligned face that lies within the picture, 0 to 1; null likewise."
    )
    proportion: float | None = Field(
        description="Height over width of the face over what is usual, pose taken back: 1 as it "
        "is, 2 stretched to twice its height; null likewise."
    )


class PhotoRecordBody(BaseModel):
    """An enrolled photo: its measures; the picture itself is not kept."""

    photo_id: str
    quality: QualityBody
    model_version: str
    created_at: datetime


class EmployeeDetailBody(EmployeeBody):
    """An employee with the records of its photos."""

    photos: list[PhotoRecordBody]
    look_alikes: list[str] = Field(
        description="Ids of employees who look alike, as was confirmed at an enrolment."
    )


class EmployeePageBody(BaseModel):
    """A page of employees in the order of their enrolment."""

    employees: list[EmployeeBody]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page.")


class BoxBody(BaseModel):
    """A rectangle in pixels of the upright photo."""

    x: float
    y: float
    width: float
    height: float


class FaceBody(BaseModel):
    """The face that was used."""

    box: BoxBody
    landmarks: list[tuple[float, float]] = Field(
        description="Left eye, right eye, nose, left and right mouth corner, as seen in the image."
    )
    turned_degrees: QuarterTurn = Field(
        description="The quarter turn, clockwise, at which the face stood in the photo; it was "
        "turned back before it was compared."
    )
    quality: QualityBody
    faces_found: int = Field(description="How many faces the photo shows; the largest was used.")


class EnrolledPhotoBody(BaseModel):
    """What became of one photo of an enrolment."""

    position: int = Field(description="Position of the photo in the request, from 0.")
    status: Literal["enrolled", "already_enrolled", "rejected"] = Field(
        description="`already_enrolled`: the same picture, as the same file or encoded anew, is "
        "enrolled as `photo_id`; it is not counted twice."
    )
    photo_id: str | None = None
    face: FaceBody | None = None
    code: str | None = Field(
        None,
        description="Why it was rejected, or `already_enrolled`.",
        examples=["face_blurred"],
    )
    message: str | None = Field(None, description="What was measured and what is needed.")
    hint: str | None = Field(
        None, description="The message with what a person can do about it, for the screen."
    )


class EnrollResponse(BaseModel):
    """What became of an enrolment; ``photos`` follows the order of the request."""

    employee: EmployeeBody
    created: bool
    enrolled_count: int
    already_enrolled_count: int
    rejected_count: int
    photos: list[EnrolledPhotoBody]
    look_alikes: list[str] = Field(
        description="Ids of employees whom `confirm_distinct` kept as look-alikes just now."
    )
    model_version: str
    request_id: str


class VerifyResponse(BaseModel):
    """Known, unknown or ambiguous, and what to do next.

    The threshold decides, for its false-match rate is promised (see ``GET /v1/policy``): ``known``
    is the most probable employee, if the ``similarity`` to it reaches the ``threshold`` (null while
    nobody is enrolled) and nobody else is nearly as probable; else the ``contenders`` make it
    ``ambiguous``. ``probability`` is that of the decision, that it is this employee, nobody
    enrolled, or one of the contenders, after a prior of ``FACEGATE_PRIOR_UNKNOWN`` strangers. An
    ``unknown`` of low probability is a face that may well be somebody's and is not near enough to
    open a door: ``next_step`` then says to retry closer to the camera.
    """

    decision: Verdict
    next_step: NextStep
    employee: EmployeeBody | None
    contenders: list[str] = Field(
        description="Ids of those who cannot be told apart: two, or one whose recorded look-alike "
        "was not compared, being suspended or without a photo of this model."
    )
    similarity: Similarity | None
    probability: Probability
    threshold: float = Field(
        description="What is asked of the most probable employee, by the number of photos "
        "enrolled (`GET /v1/policy`)."
    )
    threshold_false_match_rate: float = Field(
        description="How often one different person reaches the threshold."
    )
    face: FaceBody
    frames: list[FrameBody]
    liveness: Liveness
    model_version: str
    request_id: str


class CandidateBody(BaseModel):
    """An employee who may be the person."""

    rank: int
    employee: EmployeeBody
    similarity: Similarity
    closest_photo_similarity: Similarity
    probability: Probability


class IdentifyResponse(BaseModel):
    """Ranked candidates.

    The probabilities of the candidates, ``others_probability`` (all other employees together) and
    ``unknown_probability`` (nobody enrolled) sum to 1.
    """

    decision: Verdict
    next_step: NextStep
    contenders: list[str] = Field(description="As in the answer of verify.")
    candidates: list[CandidateBody]
    unknown_probability: Probability
    others_probability: Probability
    prior_unknown: Probability = Field(
        description="The share of strangers that was assumed before looking."
    )
    threshold: float = Field(
        description="What is asked of the first candidate, by the number of photos enrolled; "
        "others may be asked for more or less (`GET /v1/policy`)."
    )
    face: FaceBody
    frames: list[FrameBody]
    liveness: Liveness
    model_version: str
    request_id: str


class ClaimResponse(BaseModel):
    """Whether the face is that of the claimed employee.

    ``decision`` says whether the ``similarity`` reaches the ``threshold``. A door goes by
    ``next_step``: a ``match`` asks for a second factor where somebody recorded as a look-alike of
    this employee, suspended or not, is nearly as probable or cannot be compared; a ``no_match`` is
    refused, or worth another try closer to the camera.
    """

    decision: Literal["match", "no_match"]
    next_step: NextStep
    employee: EmployeeBody
    similarity: Similarity
    probability: Probability = Field(description="That face and employee are one person.")
    threshold: float = Field(
        description="What is asked of the claimed employee, by the number of photos enrolled "
        "(`GET /v1/policy`)."
    )
    threshold_false_match_rate: float
    face: FaceBody
    frames: list[FrameBody]
    liveness: Liveness
    model_version: str
    request_id: str


class CompareResponse(BaseModel):
    """Whether two photos show the same person."""

    decision: Literal["same", "different"]
    similarity: Similarity
    probability: Probability = Field(description="That both photos show one person.")
    threshold: float = Field(description="What is asked of one photo against another.")
    threshold_false_match_rate: float
    faces: list[FaceBody] = Field(min_length=2, max_length=2)
    model_version: str
    request_id: str
