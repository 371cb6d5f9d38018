"""How recognisable a face is, against the definition, and what may stand in a manifest."""

from __future__ import annotations

import base64
import dataclasses
import json

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.embeddings import Embedding, as_embedding
from app.domain.errors import ModelArtifactError
from app.domain.faces import ENROLLMENT_LIMITS, Box, Detection, FaceQuality, require_recognisable
from app.domain.fusion import frame_weight
from app.domain.model_manifest import ModelManifest
from app.domain.photo_errors import FaceTurnedError, FaceUnrecognisableError
from app.domain.recognisability import Recognisability
from tests.domain.test_model_manifest import LINE, document

FACE = FaceQuality(150, 500, 120, 0, 0, 0, 0.95)
UPRIGHT = ((-1.0, -1.0), (1.0, -1.0), (0.0, 0.0), (-1.0, 1.0), (1.0, 1.0))


def unit(values: list[float]) -> Embedding:
    vector = np.asarray(values, np.float64)
    return as_embedding(vector / np.linalg.norm(vector))


def turned(degrees: float) -> Detection:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = tuple((float(x), float(y)) for x, y in np.array(UPRIGHT) @ turn.T)
    return Detection(Box(0, 0, 1, 1), points, 0.9)


def made(*rows: list[float], enrollment: float = 0.5, door: float = 0.4) -> Recognisability:
    return Recognisability(np.stack([unit(row) for row in rows]), enrollment, door)


@given(
    st.lists(
        st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(
            lambda v: np.linalg.norm(v) > 0.1
        ),
        min_size=2,
        max_size=6,
    )
)
def test_it_is_the_distance_to_the_nearest_centre_clipped(rows: list[list[float]]) -> None:
    face, *centres = rows
    slow = min(1.0 - float(unit(face).astype(float) @ unit(one).astype(float)) for one in centres)
    assert made(*centres).of(unit(face)) == pytest.approx(min(1.0, max(0.0, slow)), abs=1e-5)


def test_a_centre_itself_is_not_recognisable_and_is_objected_to() -> None:
    centres = made([1, 0, 0, 0], [0, 1, 0, 0])
    assert centres.of(unit([1, 0, 0, 0])) == pytest.approx(0.0, abs=1e-6)
    said = centres.objection(unit([0, 1, 0, 0]))
    assert said is not None
    assert "unrecognisable" in said
    assert centres.objection(unit([0, 0, 1, 0])) is None


def test_the_limit_itself_passes_and_what_is_below_has_its_own_code() -> None:
    limits = dataclasses.replace(ENROLLMENT_LIMITS, min_recognisability=0.5)
    require_recognisable(turned(0), dataclasses.replace(FACE, recognisability=0.5), limits)
    require_recognisable(turned(0), FACE, limits)  # a model that does not tell refuses nobody
    below = dataclasses.replace(FACE, recognisability=0.4999)
    with pytest.raises(FaceUnrecognisableError, match=r"0\.499, 0\.500 is needed"):
        require_recognisable(turned(20), below, limits)
    with pytest.raises(FaceTurnedError, match="180 degrees"):
        require_recognisable(turned(180), below, limits)


@pytest.mark.parametrize(
    ("degrees", "quarter"),
    [(0, 0), (44, 0), (-44, 0), (46, 90), (90, 90), (134, 90), (136, 180), (-46, 270), (270, 270)],
)
def test_a_turn_is_told_in_quarters(degrees: float, quarter: int) -> None:
    assert turned(degrees).turned_degrees == quarter


def test_a_frame_weighs_by_how_recognisable_it_is() -> None:
    low, high = (dataclasses.replace(FACE, recognisability=value) for value in (0.4, 0.8))
    assert frame_weight(low) == pytest.approx(frame_weight(high) / 2)
    assert frame_weight(FACE) > frame_weight(high)


def encoded(rows: npt.ArrayLike) -> str:
    return base64.b64encode(np.asarray(rows, "<f4").tobytes()).decode()


def block(**changes: object) -> dict[str, object]:
    centres = made([1, 2, 0, 0, 0, 0], [0, 0, 1, 0, 0, 1])
    return {
        "centres": encoded(centres.centres),
        "sha256": centres.sha256,
        "min_enrollment": 0.5,
        "min_verification": 0.4,
        **changes,
    }


def read(entry: object) -> ModelManifest:
    whole = {**document(LINE), "recognisability": entry}
    return ModelManifest.from_json(json.loads(json.dumps(whole)))


def test_a_manifest_carries_centres_and_limits() -> None:
    manifest = read(block())
    assert manifest.recognisability is not None
    assert manifest.recognisability.centres.shape == (2, 6)
    assert manifest.enrollment_limits.min_recognisability == 0.5
    assert manifest.verification_limits.min_recognisability == 0.4
    assert ModelManifest.from_json(document(LINE)).recognisability is None
    assert ModelManifest.from_json(document(LINE)).enrollment_limits.min_recognisability == 0.0


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "0" * 64},
        {"centres": encoded([1.0, 0.0])},
        {"centres": "%%%"},
        {"centres": ""},
        {"centres": [[1.0]]},
        {"centres": encoded([2.0, 0, 0, 0, 0, 0])},
        {"centres": encoded([np.nan, 0, 0, 0, 0, 0])},
        {"min_enrollment": 0.3},
        {"min_enrollment": 1.0},
        {"min_verification": -0.1},
        {"min_verification": None},
    ],
)
def test_a_block_that_is_not_what_it_says_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ModelArtifactError, match="not valid"):
        read(block(**changes))
