"""What the stages of one verification cost, in this process, beside a yardstick of OpenCV's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from pydantic import BaseModel

from app.domain.employees import NewPhoto
from app.embedding.load import load_embedder
from app.registry.database import create_registry_engine
from app.registry.repository import SqlRegistry
from app.registry.schema import upgrade_to_head
from app.search.faiss_index import FaissGalleryIndex
from app.services.gallery import Gallery
from app.settings import Settings
from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from tools.bench.photos import frame
from tools.bench.timing import Cost, take_turns
from training.data.invented_people import ENROLLED_COUNT, InventedPerson

FIND, CROP, EMBED, SEARCH = "decode and detect", "align and measure", "embed", "registry and search"
#: OpenCV's decoder and one look of YuNet at 480 px: what the first stage is compared with.
YARDSTICK = "OpenCV: decode, one look at 480 px"
_YARDSTICK_SIDE = 480


class Stages(BaseModel):
    """Costs by stage, and of the first stage by kind of picture; ``runtime``: what embeds."""

    runtime: str
    stages: dict[str, Cost]
    yardstick: Cost
    pictures: dict[str, Cost]

    @property
    def sum_ms(self) -> float:
        """What one verification costs without HTTP, by the clock."""
        return sum(cost.wall_ms for cost in self.stages.values())

    @property
    def ratio_to_yardstick(self) -> float:
        """CPU time of decoding and detecting over that of the yardstick."""
        return self.stages[FIND].cpu_ms / self.yardstick.cpu_ms


def measure_stages(person: InventedPerson, folder: Path, rounds: int) -> Stages:
    """Return the costs for a photo of ``person``, 1280 x 720 px, and for other pictures of it."""
    folder.mkdir(parents=True, exist_ok=True)
    configure_opencv(threads=1)
    settings = Settings()
    photo = person.photos[-1].read_bytes()
    vision = make_vision()
    embedder = load_embedder(
        settings.model_dir,
        settings.runtime,
        workers=1,
        torch_threads=1,
        prepared=folder / "prepared",
    )
    near = vision.find_faces(photo, nearest=True)
    crop = vision.crop(near.photo.picture, near.detections[0])
    (embedding,) = embedder.embed(crop.pixels[None])
    registry, gallery = _gallery(folder, NewPhoto(embedding, crop.quality, "bench"))

    def search() -> None:
        with registry.session() as session:
            gallery.refresh(session)
            everyone = gallery.index.compare_all(embedding)
            nearest = int(everyone.employee_keys[everyone.similarities.argmax()])
            session.employees_by_key([nearest])
            session.look_alikes_of([nearest])
            gallery.index.closest_photos(embedding, [nearest])

    stages: dict[str, Callable[[], object]] = {
        FIND: lambda: vision.find_faces(photo, nearest=True),
        CROP: lambda: vision.crop(near.photo.picture, near.detections[0]),
        EMBED: lambda: embedder.embed(crop.pixels[None]),
        SEARCH: search,
    }
    costs = take_turns({**stages, YARDSTICK: opencv_yardstick(photo)}, rounds)
    registry.close()
    return Stages(
        runtime=str(embedder.runtime),
        stages={name: costs[name] for name in stages},
        yardstick=costs[YARDSTICK],
        pictures=_pictures(person, vision, max(3, rounds // 4)),
    )


def make_vision() -> FaceVision:
    """Return the service's eyes with its default limits."""
    return FaceVision(FaceDetector(read_detector_weights()))


def opencv_yardstick(photo: bytes) -> Callable[[], object]:
    """Return what decodes a photo with OpenCV and looks at it once, by YuNet at 480 px."""
    content = np.frombuffer(photo, np.uint8)
    detector = cv2.FaceDetectorYN.create(
        "onnx",
        np.frombuffer(read_detector_weights().content, np.uint8),
        np.zeros(0, np.uint8),
        (_YARDSTICK_SIDE, _YARDSTICK_SIDE),
    )

    def look() -> object:
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError("OpenCV does not decode the photo")
        share = _YARDSTICK_SIDE / max(picture.shape)
        small = cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        detector.setInputSize((small.shape[1], small.shape[0]))
        return detector.detect(small)

    return look


def _pictures(person: InventedPerson, vision: FaceVision, rounds: int) -> dict[str, Cost]:
    contents = {
        "JPEG 1280 x 720": frame(person, 1280, 720),
        "PNG 1280 x 720": frame(person, 1280, 720, "PNG"),
        "WebP 1280 x 720": frame(person, 1280, 720, "WEBP"),
        "JPEG 4000 x 3000": frame(person, 4000, 3000),
    }

    def finding(content: bytes) -> Callable[[], object]:
        return lambda: vision.find_faces(content, nearest=True)

    return take_turns({name: finding(content) for name, content in contents.items()}, rounds)


def _gallery(folder: Path, photo: NewPhoto) -> tuple[SqlRegistry, Gallery]:
    """Return a registry of as many people as are enrolled elsewhere, and its gallery."""
    url = f"sqlite:///{folder / 'bench.sqlite3'}"
    upgrade_to_head(url)
    registry = SqlRegistry(create_registry_engine(url))
    gallery = Gallery(registry, FaissGalleryIndex(len(photo.embedding)), "bench")
    for number in range(ENROLLED_COUNT):
        with gallery.changing() as session:
            employee = session.add_employee(f"e{number}", "Bench", None)
            session.add_photos(employee.key, [photo])
            gallery.commit(session, employee)
    return registry, gallery
