"""Which faces each quality limit refuses, by group, and what the limits gain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from app.domain.embeddings import as_embedding
from app.domain.model_manifest import ModelManifest
from app.domain.policy import RiskPolicy
from app.domain.recognisability import Recognisability
from app.vision.plainness import PlainnessNetwork, read_plainness
from training.data.populations import read_people, read_pools, read_strangers
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.evaluation.kept_answers import CACHE
from training.evaluation.served import DEFAULT_TARGETS
from training.foundation.device import choose_device
from training.foundation.records import Record
from training.foundation.sheets import Sheet
from training.studies.quality_limits.grouped_faces import (
    RESEMBLED,
    Measure,
    chosen_of_pools,
    measure_grouped_crops,
    measure_whole_photos,
    read_whole_photos,
)
from training.studies.quality_limits.limits import ENROLLED_PHOTOS, SpoiltProbes, measure_limits
from training.studies.quality_limits.pose import measured_yaw
from training.studies.quality_limits.refusals import (
    MIN_FACES,
    GroupedFaces,
    GroupRefusals,
    refusals_by_group,
    unequal_limits,
)
from training.studies.quality_limits.tables import exposure_sheet, limits_sheet, refusals_sheet


class QualityLimitsRecord(Record):
    """What each limit refuses, source by source, and what became of spoilt pictures."""

    refusals: tuple[tuple[GroupRefusals, ...], ...]
    spoilt: tuple[SpoiltProbes, ...] | None


def run(
    data: Path,
    model: Path,
    *,
    device: str | None = None,
    only_groups: bool = False,
    tell: Callable[[str], None] = print,
) -> QualityLimitsRecord:
    """Count who each quality limit refuses, by group, and measure the error beyond it.

    With ``only_groups`` nothing is said of the error. Raises ``DataError`` or ``CheckpointError``.
    """
    embedder = ExportedEmbedder(model, choose_device(device), CACHE)
    manifest = ModelManifest.from_json(read_manifest(model))
    stages = {"door": manifest.verification_limits, "enrollment": manifest.enrollment_limits}
    refusals = []
    plainness = read_plainness(model, manifest.plainness)
    for faces in _grouped_faces(embedder, manifest.recognisability, plainness, data):
        tell(f"measured: {len(faces.qualities):,} {faces.source}")
        refusals.append(tuple(refusals_by_group(faces, stages)))
    spoilt = None
    if not only_groups:
        verify = RiskPolicy(manifest, DEFAULT_TARGETS).verify(photos=ENROLLED_PHOTOS)
        people = read_people(data, "val")
        spoilt = measure_limits(
            embedder,
            people,
            verify.threshold.similarity,
            manifest.calibration,
            tell,
            measured_yaw(people),
        )
    return QualityLimitsRecord(refusals=tuple(refusals), spoilt=spoilt)


def tables(record: QualityLimitsRecord) -> list[Sheet]:
    """Return a table of refusals for each source, and what the limits gain where measured."""
    sheets = [refusals_sheet(found) for found in record.refusals if found]
    if record.spoilt is not None:
        sheets += [exposure_sheet(record.spoilt), limits_sheet(record.spoilt)]
    return sheets


def faults(record: QualityLimitsRecord) -> list[str]:
    """Return a line for each limit that surely refuses some group too much oftener than another."""
    unequal = unequal_limits(one for found in record.refusals for one in found)
    return [f"unequal: {one}" for one in unequal]


def _grouped_faces(
    embedder: ExportedEmbedder,
    centres: Recognisability | None,
    plainness: PlainnessNetwork | None,
    data: Path,
) -> Iterator[GroupedFaces]:
    """Yield the faces of known groups of every source below ``data``; raises ``DataError``."""

    def recognise_by(centres: Recognisability) -> Measure:
        return lambda face: centres.of(as_embedding(embedder.embed_faces(face[None])[0]))

    recognise = None if centres is None else recognise_by(centres)
    plain = None if plainness is None else plainness.measure
    fairface = [data / "fairface-0.tar", data / "fairface-1.tar"]
    yield measure_grouped_crops(
        "FairFace crops",
        fairface,
        data / "fairface.csv",
        mark_black=True,
        recognise=recognise,
        plain=plain,
    )
    table = data / "strangers.csv"
    yield measure_grouped_crops(
        "strangers' crops",
        [data / "strangers.tar"],
        table,
        mark_black=False,
        recognise=recognise,
        plain=plain,
    )
    strangers = read_strangers(data)
    pools = read_pools(table, strangers.files, MIN_FACES, by_gender=False)
    rows, some = chosen_of_pools(pools, RESEMBLED)
    embeddings = embedder.embed(strangers.of(torch.from_numpy(rows)))
    photos = read_whole_photos(data)
    yield measure_whole_photos(photos, embedder, embeddings, some, centres, plainness)
