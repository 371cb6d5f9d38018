"""The manifest: everything a model file needs beside it to be used, and to be trusted."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from app.domain.calibration import Calibration, PlattCalibration
from app.domain.errors import ModelArtifactError
from app.domain.faces import ENROLLMENT_LIMITS, VERIFICATION_LIMITS, QualityLimits
from app.domain.plainness import Plainness
from app.domain.recognisability import Recognisability
from app.domain.support import Support
from app.domain.tails import GenuineScores, ImpostorTail

SCHEMA = 1

Json = Mapping[str, object]


@dataclass(frozen=True)
class Threshold:
    """A decision threshold, with the false-match rate and the population that it stands for."""

    similarity: float
    false_match_rate: float
    population: str


@dataclass(frozen=True)
class ModelManifest:
    """One embedder. ``identify`` decides known or unknown against a gallery, ``verify`` 1:1.

    ``golden_embedding`` is what ``golden_input`` gave when the model was exported; a loaded model
    must give a cosine of at least ``golden_min_similarity`` to it.
    """

    name: str
    version: str
    format: str
    file: str
    sha256: str
    input_size: int
    embedding_dim: int
    alignment: str
    calibration: Calibration
    tails: tuple[ImpostorTail, ...]
    identify: Threshold
    verify: Threshold
    golden_embedding: tuple[float, ...]
    golden_min_similarity: float
    genuine: tuple[GenuineScores, ...] = ()
    #: Photos of a centroid, and how much more a threshold asks of it; empty: of all the most.
    centroid_shifts: tuple[tuple[int, float], ...] = ()
    #: What the model cannot read; None for a model that was exported without it.
    recognisability: Recognisability | None = None
    #: The people that no promise goes beyond; None where each tail has bounds of its own instead.
    support: Support | None = None
    #: The network beside the model that tells covered and altered faces; None: nothing checks that.
    plainness: Plainness | None = None

    @property
    def model_version(self) -> str:
        """Name, version and the start of the file's hash in one word; embeddings carry it.

        With the hash, because a version may be exported anew: its embeddings must not meet those
        of other weights in one index.
        """
        return f"{self.name}-{self.version}+{self.sha256[:8]}"

    @property
    def enrollment_limits(self) -> QualityLimits:
        """What a face must have to be enrolled, as far as no setting asks for more."""
        centres, plainness = self.recognisability, self.plainness
        return dataclasses.replace(
            ENROLLMENT_LIMITS,
            min_recognisability=0.0 if centres is None else centres.min_enrollment,
            min_plainness=0.0 if plainness is None else plainness.min_enrollment,
        )

    @property
    def verification_limits(self) -> QualityLimits:
        """What a face must have to be decided on at a door, where covered faces are welcome."""
        centres = self.recognisability
        min_recognisability = 0.0 if centres is None else centres.min_verification
        return dataclasses.replace(VERIFICATION_LIMITS, min_recognisability=min_recognisability)

    @staticmethod
    def from_json(document: Json) -> ModelManifest:
        """Read a manifest; raises ``ModelArtifactError`` naming what is missing or wrong."""
        try:
            if document["schema"] != SCHEMA:
                raise ModelArtifactError(f"manifest schema {document['schema']!r} is not {SCHEMA}")
            shape = cast(Json, document["input"])
            thresholds = cast(Json, document["thresholds"])
            golden = cast(Json, document["golden"])
            support = _support(cast(Json | None, document.get("support")))
            _require_evidence_of(_text(document, "sha256"), document)
            return ModelManifest(
                name=_text(document, "name"),
                version=_text(document, "version"),
                format=_text(document, "format"),
                file=_text(document, "file"),
                sha256=_text(document, "sha256"),
                input_size=int(_number(shape, "size")),
                embedding_dim=int(_number(document, "embedding_dim")),
                alignment=_text(document, "alignment"),
                calibration=_calibration(cast(list[Json], document["calibration"]), support),
                tails=tuple(
                    _tail(entry, support) for entry in cast(list[Json], document["impostor_tails"])
                ),
                identify=_threshold(cast(Json, thresholds["identify"])),
                verify=_threshold(cast(Json, thresholds["verify"])),
                golden_embedding=tuple(map(float, cast(list[float], golden["embedding"]))),
                golden_min_similarity=_number(golden, "min_similarity"),
                centroid_shifts=_shifts(cast(list[Json], document.get("centroid_shifts", []))),
                genuine=_genuine(
                    cast(list[Json], document.get("genuine", [])),
                    _people(cast(list[Json], document["calibration"])),
                ),
                recognisability=_recognisability(
                    cast(Json | None, document.get("recognisability")),
                    int(_number(document, "embedding_dim")),
                ),
                support=support,
                plainness=_plainness(cast(Json | None, document.get("plainness"))),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelArtifactError(f"the model's manifest is not valid: {error!r}") from error


def _text(document: Json, key: str) -> str:
    value = document[key]
    if not isinstance(value, str) or not value:
        raise TypeError(f"{key} must be a text")
    return value


def _number(document: Json, key: str) -> float:
    value = document[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{key} must be a number")
    return float(value)


def _threshold(entry: Json) -> Threshold:
    similarity = _number(entry, "similarity")
    rate = _number(entry, "false_match_rate")
    if not -1 < similarity < 1 or not 0 < rate < 1:
        raise ValueError("a threshold needs a similarity in (-1, 1) and a rate in (0, 1)")
    return Threshold(similarity, rate, _text(entry, "population"))


def _require_evidence_of(sha256: str, document: Json) -> None:
    """Raise ``ModelArtifactError`` where a part was measured with another file than the model's.

    A calibration names its file; what a model cannot read names it since manifests do that.
    """
    evidence = cast(Json, document["calibration_evidence"])
    measured = {"calibration": evidence["sha256"]}
    centres = cast(Json | None, document.get("recognisability"))
    if centres is not None and "model_sha256" in centres:
        measured["recognisability"] = centres["model_sha256"]
    for part, of in measured.items():
        if of != sha256:
            raise ModelArtifactError(
                f"the manifest's {part} is evidence of another model file (SHA-256 {str(of)[:12]}, "
                f"this one has {sha256[:12]}); make it with this file"
            )


def _support(entry: Json | None) -> Support | None:
    if entry is None:
        return None
    people, photos, strangers = (
        int(_number(entry, key)) for key in ("people", "photos", "strangers")
    )
    small = cast(list[str], entry.get("small_groups", []))
    return Support(people, photos, strangers, tuple(map(str, small)))


def _calibration(lines: list[Json], support: Support | None) -> Calibration:
    bounds = {} if support is None else {"bounds": support.log_ratio_bounds}
    return Calibration(
        tuple(
            PlattCalibration(
                int(_number(line, "photos")),
                _number(line, "slope"),
                _number(line, "intercept"),
                int(_number(line, "frames")) if "frames" in line else 1,
            )
            for line in lines
        ),
        **bounds,
    )


def _shifts(entries: list[Json]) -> tuple[tuple[int, float], ...]:
    shifts = tuple((int(_number(one, "photos")), _number(one, "shift")) for one in entries)
    photos, rising = [one for one, _ in shifts], [0.0, *(shift for _, shift in shifts)]
    if photos != sorted(set(photos)) or rising != sorted(rising):
        raise ValueError("shifts of centroids rise with photos, from 0")
    return shifts


def _recognisability(entry: Json | None, dim: int) -> Recognisability | None:
    """Return the centres with their limits; raises ``ValueError`` where their hash differs.

    Centres are base64 of little-endian float32 in rows of ``dim``.
    """
    if entry is None:
        return None
    stored = base64.b64decode(_text(entry, "centres"), validate=True)
    if len(stored) % (4 * dim):
        raise ValueError(f"centres of the unrecognisable are rows of {dim} numbers")
    centres = np.frombuffer(stored, dtype="<f4").reshape(-1, dim).astype(np.float32)
    found = Recognisability(
        centres, _number(entry, "min_enrollment"), _number(entry, "min_verification")
    )
    if found.sha256 != _text(entry, "sha256"):
        raise ValueError("the centres of the unrecognisable are not those of their hash")
    return found


def _plainness(entry: Json | None) -> Plainness | None:
    if entry is None:
        return None
    return Plainness(
        file=_text(entry, "file"),
        sha256=_text(entry, "sha256"),
        golden=_number(entry, "golden"),
        golden_tolerance=_number(entry, "golden_tolerance"),
        min_enrollment=_number(entry, "min_enrollment"),
    )


def _tail(entry: Json, support: Support | None) -> ImpostorTail:
    points = cast(list[list[float]], entry["points"])
    return ImpostorTail(
        population=_text(entry, "population"),
        points=tuple((float(rate), float(similarity)) for rate, similarity in points),
        extrapolated_below=_number(entry, "extrapolated_below"),
        uppers=tuple(map(float, cast(list[float], entry.get("uppers", [])))),
        people=None if support is None else min(support.strangers, int(_number(entry, "people"))),
    )


def _people(lines: list[Json]) -> dict[int, int]:
    """Return by photos enrolled how many people's probes a line was fitted to, where it tells.

    Lines and genuine scores are of the same probes; those of bursts are of other ones.
    """
    return {
        int(_number(line, "photos")): int(_number(line, "same_people"))
        for line in lines
        if "same_people" in line and line.get("frames", 1) == 1
    }


def _genuine(entries: list[Json], people: Mapping[int, int]) -> tuple[GenuineScores, ...]:
    found = []
    for entry in entries:
        points = cast(list[list[float]], entry["points"])
        photos = int(_number(entry, "photos"))
        pairs = tuple((float(rate), float(similarity)) for rate, similarity in points)
        found.append(GenuineScores(photos, pairs, people.get(photos)))
    return tuple(found)
