"""The shapes of questions about a face and of their answers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from app.api.employees.identifiers import LeftOutByPlaceholder
from app.api.employees.schemas import EmployeeBody
from app.api.http.schemas import RequestBody
from app.api.photos.schemas import Base64Photo, FaceBody
from app.domain.fusion import MAX_FRAMES
from app.domain.verdict import NextStep, Verdict
from app.services.scenes import Liveness

Probability = Annotated[float, Field(ge=0, le=1)]
Similarity = Annotated[float, Field(ge=-1, le=1, description="Cosine; higher is closer.")]


class SceneBody(RequestBody):
    """JSON body with one scene: a photo, or a burst of frames; one of the two."""

    photo: Base64Photo | None = None
    frames: list[Base64Photo] | None = Field(
        None,
        min_length=1,
        max_length=MAX_FRAMES,
        description="One to five frames of one scene, oldest first; they are fused by quality.",
    )
    challenge_id: Annotated[str | None, Field(max_length=64), LeftOutByPlaceholder] = Field(
        None,
        description="Of the challenge that the frames answer. Empty, `None`, `null` or `undefined` "
        "as a text means that there is none.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.photo is None) == (self.frames is None):
            raise ValueError("send either photo or frames")
        return self


class CompareBody(RequestBody):
    """JSON body of ``POST /v1/compare``."""

    first: Base64Photo
    second: Base64Photo


class FrameBody(BaseModel):
    """What became of one frame of the scene."""

    position: int = Field(description="Position of the frame in the request, from 0.")
    used: bool
    code: str | None = Field(None, description="Why it was left out.", examples=["face_blurred"])
    hint: str | None = Field(None, description="What the person at the door can do.")


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
