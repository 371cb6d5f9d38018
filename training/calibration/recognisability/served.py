"""Odd pictures as the service's own eyes cut them, among what centres are fitted on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from app.domain.faces import Detection, Picture
from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from training.data.crops import CropSet
from training.data.odd_pictures.kinds import Kind
from training.data.odd_pictures.portrait import on_canvas
from training.evaluation.embedders import ExportedFile
from training.foundation.arrays import ByteImage, Matrix

#: Kinds of `training study odd-pictures` that are found, aligned and, to a limit on pose and
#: sharpness, good pictures: a rendering of the crop alone would not show what is left of them.
SERVED_FITTED = (
    "close-up of the middle",
    "cut at the eyes",
    "half out of the frame",
    "twice as wide",
    "swirled",
    "rippled",
    "thermal",
    "outlined",
    "noise",
    "sunglasses",
    "statue",
    "two grey levels",
    "drawn faces",
    "plaster heads",
    "modelled animals",
)
#: Their siblings, by which the number of centres is chosen.
SERVED_HELD_OUT = (
    "twice as high",
    "half mirrored",
    "on cloth",
    "bar over the eyes",
    "pencilled",
    "cartoon",
    "false colours",
    "drawn animals",
)
#: Things are drawn anew by their number, and `training study odd-pictures` shows those from 0 on.
_FIRST_THING = 100_000


def embed_served(
    embedder: ExportedFile, crops: CropSet, kinds: Sequence[Kind], people: int
) -> dict[str, Matrix]:
    """Return by kind the unit embeddings ``(N, D)`` of odd pictures with a found face.

    Each kind is made of so many ``people``. The largest face is cut as at a door, whatever its
    quality.
    """
    configure_opencv(threads=1)
    vision = FaceVision(FaceDetector(read_detector_weights()))
    found = {}
    for kind in kinds:
        faces = [vision.crop(*face).pixels for face in _faces(vision, crops, kind, people)]
        if faces:
            found[f"{kind.name}, served"] = embedder.embed_faces(np.stack(faces))
    return found


def _faces(
    vision: FaceVision, crops: CropSet, kind: Kind, people: int
) -> Iterator[tuple[Picture, Detection]]:
    for picture in _pictures(crops, kind, people):
        detections = vision.detect(picture)
        if detections:
            yield picture, detections[0]


def _pictures(crops: CropSet, kind: Kind, people: int) -> Iterator[ByteImage]:
    for row in np.linspace(0, len(crops) - 1, min(people, len(crops))).astype(int).tolist():
        if kind.draw is not None:
            yield kind.thing(_FIRST_THING + row)
        else:
            crop = np.ascontiguousarray(crops.images[row].numpy().transpose(1, 2, 0))
            yield kind.picture_of(on_canvas(crop), crops.files[row])
