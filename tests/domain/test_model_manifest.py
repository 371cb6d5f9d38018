from __future__ import annotations

import json

import pytest

from app.domain.errors import ModelArtifactError
from app.domain.model_manifest import ModelManifest
from app.settings import Settings

LINE = {"photos": 1, "slope": 20.0, "intercept": -8.0}
BURST_LINE = {"photos": 1, "frames": 3, "slope": 20.0, "intercept": -9.0, "same_people": 7}


def document(*lines: dict[str, float]) -> dict[str, object]:
    """Return a whole manifest with these calibration lines and scores for one photo and three."""
    threshold = {"similarity": 0.5, "false_match_rate": 1e-4, "population": "made"}
    points = [[0.0, 0.1], [1.0, 0.9]]
    return {
        "schema": 1,
        "name": "made",
        "version": "1",
        "format": "torchscript",
        "file": "embedder.pt",
        "sha256": "0" * 64,
        "input": {"size": 112},
        "embedding_dim": 6,
        "alignment": "arcface-112",
        "calibration": list(lines),
        "impostor_tails": [
            {"population": "made", "points": [[0.1, 0.2], [1e-6, 0.9]], "extrapolated_below": 1e-5}
        ],
        "thresholds": {"identify": threshold, "verify": threshold},
        "genuine": [{"photos": 1, "points": points}, {"photos": 3, "points": points}],
        "golden": {"embedding": [1.0], "min_similarity": 0.999},
        "calibration_evidence": {"sha256": "0" * 64},
    }


def test_genuine_scores_are_of_the_people_of_their_calibration_line() -> None:
    read = ModelManifest.from_json(document({**LINE, "same_people": 40}, BURST_LINE))
    assert [(scores.photos, scores.people) for scores in read.genuine] == [(1, 40), (3, None)]


def test_shifts_of_centroids_rise_with_photos() -> None:
    shifts = [{"photos": 1, "shift": 0.0}, {"photos": 3, "shift": 0.02}]
    read = ModelManifest.from_json({**document(LINE), "centroid_shifts": shifts})
    assert read.centroid_shifts == ((1, 0.0), (3, 0.02))
    assert ModelManifest.from_json(document(LINE)).centroid_shifts == ()
    falling = [{"photos": 1, "shift": 0.02}, {"photos": 3, "shift": 0.01}]
    for wrong in (falling, shifts[::-1], [{"photos": 1, "shift": -0.1}], [shifts[0], shifts[0]]):
        with pytest.raises(ModelArtifactError, match="not valid"):
            ModelManifest.from_json({**document(LINE), "centroid_shifts": wrong})


def test_a_manifest_that_counts_no_people_is_read_as_before() -> None:
    read = ModelManifest.from_json(document(LINE, BURST_LINE))
    assert [scores.people for scores in read.genuine] == [None, None]


@pytest.mark.parametrize("people", [0, -3, True, "many"])
def test_a_count_that_is_none_is_refused(people: float) -> None:
    with pytest.raises(ModelArtifactError, match="not valid"):
        ModelManifest.from_json(document({**LINE, "same_people": people}))


def test_the_shipped_model_counts_the_people_behind_every_rate() -> None:
    written = (Settings().model_dir / "manifest.json").read_text()
    shipped = ModelManifest.from_json(json.loads(written))
    counts = [scores.people or 0 for scores in shipped.genuine]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] > 100
