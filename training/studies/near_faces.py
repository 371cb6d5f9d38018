"""What the look at a reduced picture costs in similarity: the door's way against the whole search.

A door wants the largest face, and ``FaceVision.find_faces`` looks for it in a picture that was
decoded with less detail. Photographs are set into frames as a door's camera takes them, at several
sizes, and each frame goes both ways.
"""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np

from app.domain.embeddings import Embedding
from app.domain.faces import FoundFaces, Picture
from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from training.data.photo_archives import photos_of
from training.evaluation.embedders import ExportedEmbedder
from training.foundation.device import choose_device
from training.foundation.records import Record
from training.foundation.sheets import Sheet

PHOTOS = 200
FRAME_WIDTH, FRAME_HEIGHT = 1280, 720
#: Heights in pixels at which a photo is set into the frame; 0: the photo as it is.
HEIGHTS = (0, 120, 240, 360, 480, 720)
_QUALITY = 88
_SEED = 17


class NearFaceResult(Record):
    """Frames of one kind, and what both ways made of them.

    ``height``: of the photo within the frame, in pixels; 0: the photo as it is. ``missed``: frames
    without a face, by the whole search and by the near look. ``similarity`` and ``low_similarity``:
    median and 5 % quantile of the cosine between the two embeddings of the largest face.
    ``cost_ratio``: median CPU time of decoding and detecting, the near look over the whole search.
    """

    height: int
    frames: int
    missed: tuple[int, int]
    reduced: int
    similarity: float
    low_similarity: float
    cost_ratio: float


class NearFaceRecord(Record):
    """One result for each source and height."""

    lfw: tuple[NearFaceResult, ...]
    photos: tuple[NearFaceResult, ...]


def run(data: Path, model: Path, *, photos: int = PHOTOS) -> NearFaceRecord:
    """Send photos of LFW in frames, and ``photos.tar`` as it is, both ways."""
    configure_opencv(threads=1)
    embedder = ExportedEmbedder(model, choose_device("cpu"))
    vision = FaceVision(FaceDetector(read_detector_weights()))

    def results(name: str, heights: tuple[int, ...]) -> tuple[NearFaceResult, ...]:
        contents = [content for _, content in photos_of(data / name, photos)]
        return tuple(_both_ways(contents, height, vision, embedder) for height in heights)

    return NearFaceRecord(
        lfw=results("lfw-photos.tar", HEIGHTS), photos=results("photos.tar", HEIGHTS[:1])
    )


def tables(record: NearFaceRecord) -> list[Sheet]:
    """Return a row for each source and height."""
    head = (
        "photos",
        "height px",
        "frames",
        "missed: whole search",
        "missed: near look",
        "reduced",
        "median similarity",
        "5 % are below",
        "CPU ratio",
    )
    rows = tuple(
        (
            name,
            str(found.height or "as it is"),
            str(found.frames),
            *map(str, found.missed),
            str(found.reduced),
            f"{found.similarity:.4f}",
            f"{found.low_similarity:.4f}",
            f"{found.cost_ratio:.2f}",
        )
        for name, results in (("LFW", record.lfw), ("photos", record.photos))
        for found in results
    )
    return [Sheet("The near look against the whole search", head, rows)]


def _both_ways(
    photos: list[bytes], height: int, vision: FaceVision, embedder: ExportedEmbedder
) -> NearFaceResult:
    rng = np.random.default_rng(_SEED)
    missed, reduced, similarities = [0, 0], 0, []
    costs: tuple[list[float], list[float]] = ([], [])
    for content in photos:
        frame = _framed(vision.decode(content), height, rng) if height else content
        found = []
        for way, spent in enumerate(costs):
            started = time.process_time()
            found.append(vision.find_faces(frame, nearest=way == 1))
            spent.append(time.process_time() - started)
            missed[way] += not found[way].detections
        reduced += found[1].photo.scale > 1
        if all(faces.detections for faces in found):
            whole, near = (_embedding(faces, vision, embedder) for faces in found)
            similarities.append(float(whole @ near))
    whole_cost, near_cost = (float(np.median(spent)) for spent in costs)
    return NearFaceResult(
        height=height,
        frames=len(photos),
        missed=(missed[0], missed[1]),
        reduced=reduced,
        similarity=float(np.median(similarities)),
        low_similarity=float(np.quantile(similarities, 0.05)),
        cost_ratio=near_cost / whole_cost,
    )


def _embedding(found: FoundFaces, vision: FaceVision, embedder: ExportedEmbedder) -> Embedding:
    largest = max(found.detections, key=lambda detection: detection.box.area)
    crop = vision.crop(found.photo.picture, largest)
    return np.asarray(embedder.embed_faces(crop.pixels[None])[0], np.float32)


def _framed(photo: Picture, height: int, rng: np.random.Generator) -> bytes:
    """Return a JPEG with the photo, ``height`` px high, somewhere before a wall of soft colours."""
    width = min(FRAME_WIDTH, round(photo.shape[1] * height / photo.shape[0]))
    small = photo.shape[0] > height
    way = cv2.INTER_AREA if small else cv2.INTER_CUBIC
    spots = rng.integers(0, 256, (9, 16, 3), dtype=np.uint8)
    frame = cv2.resize(spots, (FRAME_WIDTH, FRAME_HEIGHT))
    left = int(rng.integers(0, FRAME_WIDTH - width + 1))
    top = (FRAME_HEIGHT - height) // 2
    frame[top : top + height, left : left + width] = cv2.resize(
        photo, (width, height), interpolation=way
    )
    bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
