"""One scene before the camera: a photo, or a burst of frames fused into one face."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.domain.calibration import Calibration
from app.domain.challenges import CHALLENGE_LINK
from app.domain.embeddings import centroid
from app.domain.errors import BurstOfSeveralPeopleError, BusyError
from app.domain.faces import QualityLimits
from app.domain.fusion import MAX_FRAMES, frame_weight, weakest_link
from app.domain.head_motion import HeadView
from app.domain.photo_errors import (
    FaceBlurredError,
    FaceCutOffError,
    FaceDistortedError,
    FaceTooBrightError,
    FaceTooDarkError,
    FaceTooSmallError,
    FaceTurnedError,
    FaceUnrecognisableError,
    NoFaceFoundError,
    PhotoError,
    SeveralFacesFoundError,
)
from app.services.challenges import NoLiveness
from app.services.extraction import ExtractedFace, FaceExtraction, SeveralFaces
from app.services.ports import LivenessCheck

#: How far a frame came before it failed, furthest first: the first kind explains a burst best.
_FURTHEST = (
    (FaceUnrecognisableError,),
    (FaceTurnedError, FaceCutOffError, FaceDistortedError),
    (FaceBlurredError, FaceTooDarkError, FaceTooBrightError),
    (FaceTooSmallError,),
    (SeveralFacesFoundError,),
    (NoFaceFoundError,),
    (PhotoError,),
)


class Liveness(StrEnum):
    """What is known of life before the camera; a check that failed is an error, not a value."""

    NOT_CHECKED = "not_checked"
    PASSED = "passed"


@dataclass(frozen=True)
class Scene:
    """One to five frames of one scene as they arrived, oldest first, and what they answer.

    A frame is the bytes of a picture file, or why they were not taken.
    """

    frames: tuple[bytes | PhotoError, ...]
    challenge_id: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.frames) <= MAX_FRAMES:
            raise ValueError(f"a scene has 1 to {MAX_FRAMES} frames, not {len(self.frames)}")


@dataclass(frozen=True)
class FrameOutcome:
    """What became of one frame; ``code`` and ``hint`` say why it was left out."""

    position: int
    used: bool
    code: str | None = None
    hint: str | None = None


@dataclass(frozen=True)
class SeenFace(ExtractedFace):
    """The face of the best frame with the embedding of all that could be used."""

    frames: tuple[FrameOutcome, ...]
    liveness: Liveness

    @property
    def frames_used(self) -> int:
        """How many frames are in the embedding."""
        return sum(frame.used for frame in self.frames)


class SceneReader:
    """From the frames of a scene to one face, checked as one person, and live if required."""

    def __init__(
        self,
        extraction: FaceExtraction,
        calibration: Calibration,
        limits: QualityLimits,
        liveness: LivenessCheck | None = None,
    ) -> None:
        self._extraction = extraction
        self._calibration = calibration
        self._limits = limits
        self._liveness = liveness or NoLiveness(required=False)

    def read(self, content: bytes | Scene, several: SeveralFaces) -> SeenFace:
        """Return the face of a scene; a single photo is a scene of one frame.

        Frames without a usable face are left out and named. Raises the ``PhotoError`` of the frame
        that came furthest where none is left, ``BurstOfSeveralPeopleError``, the liveness errors of
        ``LivenessCheck`` and ``LivenessTrial``, and ``BusyError``, which spends no challenge.
        """
        scene = content if isinstance(content, Scene) else Scene((content,))
        trial = self._liveness.begin(scene.challenge_id)
        try:
            found = self._extraction.extract_burst(scene.frames, self._limits, several)
        except BusyError:
            if trial is not None:
                trial.withdraw()
            raise
        faces = [face for face in found if isinstance(face, ExtractedFace)]
        if not faces:
            raise _best_explained([error for error in found if isinstance(error, PhotoError)])
        embeddings = [face.embedding for face in faces]
        needed = 0.0 if trial is None else CHALLENGE_LINK
        if weakest_link(embeddings, self._calibration) < needed:
            raise BurstOfSeveralPeopleError(
                "the frames of a burst must show one person; these are more likely of several"
            )
        if trial is not None:
            trial.check(
                [HeadView(face.detection.landmarks, face.quality.yaw_degrees) for face in faces]
            )
        weights = [frame_weight(face.quality) for face in faces]
        best = faces[max(range(len(faces)), key=weights.__getitem__)]
        return SeenFace(
            embedding=embeddings[0] if len(faces) == 1 else centroid(embeddings, weights),
            detection=best.detection,
            quality=best.quality,
            faces_found=best.faces_found,
            frames=tuple(_outcome(position, frame) for position, frame in enumerate(found)),
            liveness=Liveness.NOT_CHECKED if trial is None else Liveness.PASSED,
        )


def _outcome(position: int, frame: ExtractedFace | PhotoError) -> FrameOutcome:
    if isinstance(frame, PhotoError):
        return FrameOutcome(position, used=False, code=frame.code, hint=frame.hint)
    return FrameOutcome(position, used=True)


def _best_explained(failures: list[PhotoError]) -> PhotoError:
    """Return the failure that came furthest, the earliest of its kind, telling which frame it is.

    ``failures`` holds one error for every frame of the scene.
    """

    def came(position: int) -> int:
        error = failures[position]
        return next(rank for rank, kinds in enumerate(_FURTHEST) if isinstance(error, kinds))

    position = min(range(len(failures)), key=came)
    error = failures[position]
    if len(failures) == 1:
        return error
    return type(error)(f"none of {len(failures)} frames can be used; frame {position}: {error}")
