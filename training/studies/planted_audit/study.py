"""Faults planted among real people, and how many of them an audit of the gallery finds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from app.domain.audit.audit import audit
from app.domain.audit.gallery import AuditedPhoto, AuditGallery
from app.domain.audit.result import AuditResult, AuditThresholds
from app.domain.calibration import Calibration
from app.domain.embeddings import Embedding, as_embedding, centroid, similarity
from app.domain.faces import FaceQuality
from app.domain.model_manifest import ModelManifest
from training.data.populations import read_people
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.evaluation.kept_answers import CACHE
from training.evaluation.served import served_audit_thresholds
from training.foundation.arrays import IntArray, Matrix
from training.foundation.device import choose_device
from training.foundation.records import Record
from training.foundation.sheets import Sheet
from training.studies.planted_audit.twins import TWIN, blend_twins, plan_twins

PHOTOS = 3
#: Faces of a collection have no measures; these ail in nothing.
GOOD = FaceQuality(200.0, 500.0, 128.0, 0.0, 0.0, 0.0, 1.0)
AGAIN = " again"

Gallery = dict[str, list[Embedding]]


class PlantedFigures(Record):
    """What an audit of a planted gallery found; ``clean_*`` are accusations that are false.

    Two planted ids count as found where the audit names the two together: as a pair, or a photo of
    one as unlike its person and like the other. ``duplicates_paired`` are named as a pair,
    ``duplicates_named`` as one person. ``twins_alike`` are those that a door can take for their
    original, or the other way round: some photo reaches its threshold. The others,
    ``twins_unlike``, are no look-alikes to this model, and nothing is to be found. A swapped photo
    is ``swapped_placed`` where the right person is named.
    """

    people: int
    photos: int
    duplicates: int
    duplicates_found: int
    duplicates_paired: int
    duplicates_named: int
    twins: int
    twins_alike: int
    twins_alike_found: int
    twins_unlike: int
    twins_unlike_found: int
    swapped: int
    swapped_found: int
    swapped_placed: int
    clean_pairs_accused: int
    clean_photos: int
    clean_photos_accused: int

    def missed(self) -> tuple[str, ...]:
        """Return in words how many plants of each kind were not found."""
        kinds = (
            ("people under two ids", self.duplicates, self.duplicates_found),
            ("twins that a door can confuse", self.twins_alike, self.twins_alike_found),
            ("photos under a wrong id", self.swapped, self.swapped_found),
        )
        return tuple(
            f"{planted - found} of {planted} {kind}"
            for kind, planted, found in kinds
            if found < planted
        )


def wanted_rows(identities: IntArray) -> IntArray:
    """Return the first six rows of everybody who has three or more, in order."""
    people, number, counts = np.unique(identities, return_inverse=True, return_counts=True)
    rows = [
        np.flatnonzero(number == person)[: 2 * PHOTOS]
        for person in np.flatnonzero((people >= 0) & (counts >= PHOTOS))
    ]
    return np.sort(np.concatenate(rows)).astype(np.int64)


def plant(
    embeddings: Matrix,
    identities: IntArray,
    twice: int,
    swapped: int,
    twins: Mapping[int, Sequence[Embedding]] | None = None,
) -> tuple[Gallery, dict[str, str]]:
    """Return who is enrolled with which photos, and who each swapped photo really shows.

    Everybody has three photos: the first people of six stand under two ids, and of the others every
    two exchange one photo until ``swapped`` photos lie under the wrong id. ``twins`` are enrolled
    beside the people they resemble, who are otherwise left alone.
    """
    twins = twins or {}
    people, counts = np.unique(identities[identities >= 0], return_counts=True)
    gallery: Gallery = {}
    singles: list[str] = []
    for person, count in zip(people.tolist(), counts.tolist(), strict=True):
        if count < PHOTOS:
            continue
        rows = np.flatnonzero(identities == person)[: 2 * PHOTOS]
        photos = [as_embedding(embeddings[row]) for row in rows]
        gallery[str(person)] = photos[:PHOTOS]
        if person in twins:
            gallery[f"{person}{TWIN}"] = list(twins[person])
        elif count >= 2 * PHOTOS and twice > 0:
            gallery[f"{person}{AGAIN}"] = photos[PHOTOS:]
            twice -= 1
        else:
            singles.append(str(person))
    places: dict[str, str] = {}
    for one, other in zip(singles[0:swapped:2], singles[1:swapped:2], strict=False):
        gallery[one][0], gallery[other][0] = gallery[other][0], gallery[one][0]
        places |= {f"{one}/0": other, f"{other}/0": one}
    return gallery, places


def evaluate_planted(
    gallery: Gallery,
    places: dict[str, str],
    thresholds: AuditThresholds,
    calibration: Calibration,
    related: Collection[frozenset[str]] = (),
) -> PlantedFigures:
    """Audit a planted gallery and count what was found and who was accused wrongly.

    ``related`` are further pairs of ids that may be named: a twin and the person it was blended
    with.
    """
    photos = [
        AuditedPhoto(name, f"{name}/{number}", GOOD, embedding)
        for name, enrolled in gallery.items()
        for number, embedding in enumerate(enrolled)
    ]
    result = audit(
        AuditGallery.of(photos), thresholds, calibration, lambda _done: None, listed=len(photos)
    )
    one_person, named = _named_pairs(result)
    doubles = {(name.removesuffix(AGAIN), name) for name in gallery if name.endswith(AGAIN)}
    twins = {(name.removesuffix(TWIN), name) for name in gallery if name.endswith(TWIN)}
    outliers = {one.photo_id: one.other_employee_id for one in result.outliers}
    led = {frozenset((photo.rpartition("/")[0], other)) for photo, other in outliers.items()}
    alike = {pair for pair in twins if _alike(gallery, pair, thresholds.identify)}
    together = {pair for pair in twins | doubles if pair in named or frozenset(pair) in led}
    caught = places.keys() & outliers.keys()
    of_twins = {name for pair in twins for name in pair}
    clean = {photo.photo_id for photo in photos if photo.employee_id not in of_twins} - set(places)
    return PlantedFigures(
        people=len(gallery) - len(doubles) - len(twins),
        photos=len(photos),
        duplicates=len(doubles),
        duplicates_found=len(doubles & together),
        duplicates_paired=len(named & doubles),
        duplicates_named=len(one_person & doubles),
        twins=len(twins),
        twins_alike=len(alike),
        twins_alike_found=len(alike & together),
        twins_unlike=len(twins - alike),
        twins_unlike_found=len((twins - alike) & together),
        swapped=len(places),
        swapped_found=len(caught),
        swapped_placed=sum(outliers[photo] == places[photo] for photo in caught),
        clean_pairs_accused=sum(frozenset(p) not in related for p in named - doubles - twins),
        clean_photos=len(clean),
        clean_photos_accused=len(clean & outliers.keys()),
    )


def _named_pairs(result: AuditResult) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return the pairs that are named as one person, and all that are named."""
    one = {(p.first_employee_id, p.second_employee_id) for p in result.possible_duplicates}
    other = {(p.first_employee_id, p.second_employee_id) for p in result.confusable_pairs}
    return one, one | other


def _alike(gallery: Gallery, pair: tuple[str, str], threshold: float) -> bool:
    """Return whether a photo of either reaches the threshold against the other's centroid."""
    ways = (pair, pair[::-1])
    return any(
        similarity(photo, centroid(gallery[enrolled])) >= threshold
        for shown, enrolled in ways
        for photo in gallery[shown]
    )


def run(
    data: Path, model: Path, *, twice: int = 150, swapped: int = 100, twins: int = 50
) -> PlantedFigures:
    """Plant duplicates, swapped photos and twins among the people of LFW and audit the gallery.

    ``twice`` people stand under two ids, ``swapped`` photos under a wrong one, and ``twins`` are
    look-alikes by blended pictures.
    """
    crops = read_people(data, "lfw")
    rows = wanted_rows(crops.identities.numpy())
    manifest = ModelManifest.from_json(read_manifest(model))
    embedder = ExportedEmbedder(model, choose_device(None), CACHE)
    embeddings = embedder.embed(crops)
    plans = plan_twins(crops.identities.numpy(), twins, PHOTOS)
    blended = embedder.embed(blend_twins(crops, plans)).reshape(len(plans), PHOTOS, -1)
    gallery, places = plant(
        embeddings[rows],
        crops.identities.numpy()[rows],
        twice,
        swapped,
        {
            plan.person: [as_embedding(row) for row in made]
            for plan, made in zip(plans, blended, strict=True)
        },
    )
    thresholds = served_audit_thresholds(manifest, len(gallery))
    related = {frozenset((f"{plan.person}{TWIN}", str(plan.mate))) for plan in plans}
    return evaluate_planted(gallery, places, thresholds, manifest.calibration, related)


def tables(record: PlantedFigures) -> list[Sheet]:
    """Return every count as a row."""
    rows = tuple((name, f"{count:,}") for name, count in record.model_dump().items())
    return [Sheet("An audit of a gallery with planted faults", ("what", "number"), rows)]


def faults(record: PlantedFigures) -> list[str]:
    """Return a line for each kind of plant that was not wholly found."""
    return [f"not found: {missed}" for missed in record.missed()]
