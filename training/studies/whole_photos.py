"""The service's whole way on real photographs: decode, detect, align, embed; against ready crops.

Crops that somebody else aligned flatter a system whose own detector misses or aligns differently.
An LFW photo is named after the face in its middle (Huang et al. 2007); a passer-by may be larger,
and the service takes the largest, so both are judged.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.domain.faces import Detection, Picture
from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from training.data.listed_pairs import PairList, read_lfw_pairs
from training.data.photo_archives import photos_of
from training.data.populations import read_people
from training.evaluation.embedders import ExportedEmbedder
from training.foundation.arrays import Matrix
from training.foundation.device import choose_device
from training.foundation.records import Record
from training.foundation.sheets import Sheet
from training.metrics.verification import fold_accuracies


class WholePhotoResult(Record):
    """``crop_accuracy`` and ``photo_accuracy`` are of the same pairs at the same threshold.

    The threshold was chosen on the other folds, on ready crops. ``photo_accuracy`` and
    ``agreement``, the mean cosine between the embedding of a photo and that of its ready crop, are
    of the face in the middle; ``largest_accuracy`` is of the largest, which is somebody else in the
    photos of ``larger_passer_by``.
    """

    photos: int
    misses: tuple[str, ...]
    several_faces: int
    larger_passer_by: tuple[str, ...]
    pairs: int
    threshold: float
    crop_accuracy: float
    photo_accuracy: float
    largest_accuracy: float
    agreement: float


def run(data: Path, model: Path) -> WholePhotoResult:
    """Run LFW photos through the service's own vision code and compare with ready crops."""
    return evaluate_whole_photos(ExportedEmbedder(model, choose_device("cpu")), data)


def tables(record: WholePhotoResult) -> list[Sheet]:
    """Return the figures in one row, and the photos without a face where there are some."""
    figures = {
        "photos": str(record.photos),
        "misses": str(len(record.misses)),
        "several faces": str(record.several_faces),
        "passer-by larger": str(len(record.larger_passer_by)),
        "pairs": str(record.pairs),
        "crops %": f"{100 * record.crop_accuracy:.2f}",
        "photos, middle face %": f"{100 * record.photo_accuracy:.2f}",
        "photos, largest face %": f"{100 * record.largest_accuracy:.2f}",
        "agreement": f"{record.agreement:.4f}",
    }
    sheets = [Sheet("Whole photos and ready crops", tuple(figures), (tuple(figures.values()),))]
    if record.misses:
        rows = tuple((name,) for name in record.misses)
        sheets.append(Sheet("No face found", ("photo",), rows))
    return sheets


def evaluate_whole_photos(embedder: ExportedEmbedder, root: Path) -> WholePhotoResult:
    """Run every LFW photo of ``root/lfw-photos.tar`` through the service's own vision code.

    Pairs with a photo that no face was found in count as wrong.
    """
    configure_opencv(threads=1)
    crops = read_people(root, "lfw")
    on_crops = embedder.embed(crops)
    pairs = read_lfw_pairs(root / "lfw-pairs.txt", crops.files)
    vision = FaceVision(FaceDetector(read_detector_weights()))
    row_of = {file: row for row, file in enumerate(crops.files)}
    on_photos, on_largest = np.zeros_like(on_crops), np.zeros_like(on_crops)
    seen = np.zeros(len(crops), dtype=bool)
    misses, passers_by, several, total = [], [], 0, 0
    for name, content in photos_of(root / "lfw-photos.tar"):
        total += 1
        picture = vision.decode(content)
        detections = vision.detect(picture)
        several += len(detections) > 1
        if not detections:
            misses.append(name)
            continue
        subject = most_central(detections, picture)
        faces = [vision.crop(picture, detection).pixels for detection in (subject, detections[0])]
        on_photos[row_of[name]], on_largest[row_of[name]] = embedder.embed_faces(np.stack(faces))
        seen[row_of[name]] = True
        if subject is not detections[0]:
            passers_by.append(name)
    missed = {row_of[name] for name in misses}
    chosen, threshold = _covered(on_crops, pairs, {*np.nonzero(seen)[0].tolist(), *missed})
    return WholePhotoResult(
        photos=total,
        misses=tuple(misses),
        several_faces=several,
        larger_passer_by=tuple(passers_by),
        pairs=len(chosen.rows),
        threshold=threshold,
        crop_accuracy=_accuracy(on_crops, chosen, threshold, set()),
        photo_accuracy=_accuracy(on_photos, chosen, threshold, missed),
        largest_accuracy=_accuracy(on_largest, chosen, threshold, missed),
        agreement=float((on_crops[seen] * on_photos[seen]).sum(axis=1).mean()),
    )


def most_central(detections: list[Detection], picture: Picture) -> Detection:
    """Return the detection whose box has its centre nearest to that of the picture."""
    height, width = picture.shape[:2]

    def off_centre(detection: Detection) -> float:
        box = detection.box
        across, down = box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2
        return float(np.hypot(across, down))

    return min(detections, key=off_centre)


def _covered(on_crops: Matrix, pairs: PairList, rows: set[int]) -> tuple[PairList, float]:
    """Return the pairs whose two photos are both at hand, with the threshold of the other folds."""
    both = np.asarray([int(a) in rows and int(b) in rows for a, b in pairs.rows])
    fold = int(np.bincount(pairs.folds[both]).argmax())
    chosen = both & (pairs.folds == fold)
    scores = (on_crops[pairs.rows[:, 0]] * on_crops[pairs.rows[:, 1]]).sum(axis=1)
    _, thresholds = fold_accuracies(scores.astype(np.float64), pairs.same, pairs.folds)
    position = np.unique(pairs.folds).tolist().index(fold)
    listed = PairList(pairs.rows[chosen], pairs.same[chosen], pairs.folds[chosen])
    return listed, float(thresholds[position])


def _accuracy(rows: Matrix, pairs: PairList, threshold: float, missed: set[int]) -> float:
    scores = (rows[pairs.rows[:, 0]] * rows[pairs.rows[:, 1]]).sum(axis=1)
    right = (scores >= threshold) == pairs.same
    usable = np.asarray([int(a) not in missed and int(b) not in missed for a, b in pairs.rows])
    return float((right & usable).mean())
