"""Stand-ins for eyes and network: a 'photo' is a few words that say what is on it."""

from __future__ import annotations

import dataclasses
import math
import zlib

import numpy as np
import numpy.typing as npt

from app.domain.calibration import Calibration, PlattCalibration
from app.domain.embeddings import Embedding, as_embedding
from app.domain.faces import (
    Box,
    DecodedPhoto,
    Detection,
    FaceCrop,
    FaceQuality,
    FoundFaces,
    Picture,
)
from app.domain.model_manifest import ModelManifest, Threshold
from app.domain.photo_errors import UndecodablePhotoError
from app.domain.plainness import Plainness
from app.domain.recognisability import Recognisability
from app.domain.tails import ImpostorTail

DIM = 64  # enough that no two of some dozen people look alike by chance
QUALITY = FaceQuality(200.0, 800.0, 120.0, 0.0, 0.0, 0.0, 0.95)
MEASURES = {"faces", "flat", *(field.name for field in dataclasses.fields(FaceQuality))}
PRETENCES = {"faces", "flat"}
LANDMARKS = ((10.0, 10.0), (30.0, 10.0), (20.0, 20.0), (12.0, 30.0), (28.0, 30.0))

#: Photos of this person cannot be read: the model's only centre of the unrecognisable.
UNREADABLE = "unreadable"


def person_centre(person: str) -> Embedding:
    centre = np.random.default_rng(zlib.crc32(person.encode())).normal(size=DIM)
    return as_embedding(centre / np.linalg.norm(centre))


MANIFEST = ModelManifest(
    name="fake",
    version="1",
    format="torchscript",
    file="none",
    sha256="0",
    input_size=112,
    embedding_dim=DIM,
    alignment="arcface-112",
    calibration=Calibration((PlattCalibration(1, 20.0, -10.0), PlattCalibration(3, 25.0, -12.0))),
    tails=(ImpostorTail("everyone", ((0.1, 0.2), (1e-6, 0.9)), 1e-5),),
    identify=Threshold(0.6, 1e-4, "everyone"),
    verify=Threshold(0.5, 1e-3, "everyone"),
    golden_embedding=(),
    golden_min_similarity=0.99,
    recognisability=Recognisability(person_centre(UNREADABLE)[None], 0.4, 0.3),
    plainness=Plainness("none", "0" * 64, 0.0, 0.01, 0.3),
)


def photo(person: str, shot: int = 0, **facts: float) -> bytes:
    """Return a photo of ``person``; facts override measures, ``faces`` their number.

    With ``yaw_degrees`` the landmarks are those of a head turned so, with ``flat`` as well those of
    a picture that pretends to.
    """
    words = [person, str(shot), *(f"{name}={value}" for name, value in facts.items())]
    return " ".join(words).encode()


class FakeVision:
    """Reads the words of a fake photo."""

    def decode(self, content: bytes) -> Picture:
        picture: Picture = np.frombuffer(content, np.uint8)[None, :, None]
        try:
            facts = self._facts(picture)
        except ValueError:
            raise UndecodablePhotoError("the photo cannot be decoded") from None
        if len(content) > 200 or len(content.split()) < 2 or set(facts) - MEASURES:
            raise UndecodablePhotoError("the photo cannot be decoded")
        return picture

    def find_faces(self, content: bytes, *, nearest: bool) -> FoundFaces:  # noqa: ARG002
        picture = self.decode(content)
        return FoundFaces(DecodedPhoto(picture, len(content), 1), self.detect(picture))

    def detect(self, picture: Picture) -> list[Detection]:
        faces = int(self._facts(picture).get("faces", 1))
        return [
            Detection(Box(0, 0, 100 - 10 * n, 100 - 10 * n), self._landmarks(picture), 0.95)
            for n in range(faces)
        ]

    def look_at_turns(self, picture: Picture, detection: Detection) -> Detection:  # noqa: ARG002
        return detection

    def _landmarks(self, picture: Picture) -> tuple[tuple[float, float], ...]:
        facts = self._facts(picture)
        if "yaw_degrees" not in facts:
            return LANDMARKS
        yaw, nose = math.radians(facts["yaw_degrees"]), 0.0 if "flat" in facts else 8.0
        depths = (0.0, 0.0, nose, 0.0, 0.0)
        return tuple(
            (20 + (x - 20) * math.cos(yaw) + depth * math.sin(yaw), y)
            for (x, y), depth in zip(LANDMARKS, depths, strict=True)
        )

    def crop(self, picture: Picture, detection: Detection) -> FaceCrop:  # noqa: ARG002
        facts = self._facts(picture)
        measures = {name: value for name, value in facts.items() if name not in PRETENCES}
        pixels = np.zeros((3, 112, 112), np.uint8)
        text = picture.tobytes()[:200]
        pixels[0, 0, : len(text)] = 0
        pixels.reshape(-1)[: len(text)] = np.frombuffer(text, np.uint8)
        return FaceCrop(pixels, dataclasses.replace(QUALITY, **measures))

    @staticmethod
    def _facts(picture: Picture) -> dict[str, float]:
        words = picture.tobytes().decode().split()[2:]
        return {name: float(value) for name, value in (word.split("=") for word in words)}


class FakeEmbedder:
    """Puts every person somewhere on the sphere and each shot a little beside it."""

    def __init__(self, manifest: ModelManifest = MANIFEST) -> None:
        self.manifest = manifest

    def embed(self, crops: npt.NDArray[np.uint8]) -> list[Embedding]:
        return [self._embed(crop) for crop in crops]

    def _embed(self, crop: npt.NDArray[np.uint8]) -> Embedding:
        person, shot = bytes(crop.reshape(-1)[:200]).rstrip(b"\0").split()[:2]
        centre = person_centre(person.decode())
        beside = np.random.default_rng(zlib.crc32(person + shot)).normal(size=DIM)
        vector = centre + 0.4 * beside / np.sqrt(DIM)
        return as_embedding(vector / np.linalg.norm(vector))
