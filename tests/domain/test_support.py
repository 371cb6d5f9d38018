"""What a calibration on few people can promise: nothing beyond the rule of three."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calibration import pair_probability
from app.domain.errors import ModelArtifactError, UnsupportedRiskError
from app.domain.model_manifest import ModelManifest
from app.domain.policy import RiskPolicy, RiskTargets, duplicate_similarity
from app.domain.shortcomings import shortcomings
from app.domain.support import Support, rarest_supported
from app.embedding.artifact import open_artifact
from app.settings import Settings
from tests.domain.weak_models import SHA256, weak_document, weak_manifest


def test_the_rule_of_three_is_the_95_percent_bound_of_none_in_n() -> None:
    for trials in (30, 300, 3000):
        assert (1 - rarest_supported(trials)) ** trials == pytest.approx(0.05, rel=0.2)
    assert rarest_supported(0) == rarest_supported(3) == 1.0


def test_a_risk_rarer_than_the_strangers_support_is_not_offered() -> None:
    manifest = weak_manifest(strangers=60)
    with pytest.raises(UnsupportedRiskError, match=r"0\.05 at the rarest \(rule of three\)"):
        RiskPolicy(manifest, RiskTargets(fpir=0.01, fmr=0.05))
    with pytest.raises(UnsupportedRiskError, match="rule of three"):
        RiskPolicy(manifest, RiskTargets(fpir=0.05, fmr=0.001))
    policy = RiskPolicy(manifest, RiskTargets(fpir=0.06, fmr=0.05))
    assert policy.rarest_rate == pytest.approx(3 / (60 * 59 / 2))
    assert policy.max_people(0.04) == 0
    assert policy.max_people(0.06) == 36


@given(
    strangers=st.integers(12, 5000),
    people=st.integers(1, 2000),
    rate=st.floats(1e-6, 0.4),
    min_similarity=st.sampled_from([None, 0.5, 0.99]),
)
def test_no_promise_goes_beyond_the_strangers(
    strangers: int, people: int, rate: float, min_similarity: float | None
) -> None:
    attempt = rarest_supported(strangers)
    comparison = rarest_supported(strangers * (strangers - 1) // 2)
    policy = RiskPolicy(weak_manifest(strangers), RiskTargets(0.49, 0.49, min_similarity))
    promise = policy.promise(rate, people)
    assert promise.promised_rate >= attempt
    assert promise.threshold.false_match_rate >= comparison * (1 - 1e-9)
    assert all(met.upper >= attempt for met in promise.met)
    if rate < attempt * (1 - 1e-6):
        assert not promise.kept


def test_more_strangers_in_the_tail_than_in_the_support_count_for_nothing() -> None:
    document = weak_document(strangers=60)
    document["support"] = {"people": 9, "photos": 27, "strangers": 12}
    manifest = ModelManifest.from_json(document)
    assert manifest.tails[0].rarest_attempt == pytest.approx(0.25)


@pytest.mark.parametrize("support", [{"people": 3, "photos": 9, "strangers": 60}, {"people": 9}])
def test_support_by_nobody_is_refused(support: dict[str, int]) -> None:
    with pytest.raises(ModelArtifactError, match="not valid"):
        weak_manifest(support=support)


def test_a_guard_against_doubles_works_with_what_is_supported() -> None:
    manifest = weak_manifest(strangers=12)
    stated = RiskPolicy(manifest, RiskTargets(0.3, 0.3))
    door = stated.promise(0.3, 4, photos=1).threshold.similarity
    assert 0 < duplicate_similarity(manifest, stated, 4) <= door


def test_probabilities_are_clipped_to_what_people_and_strangers_support() -> None:
    calibration = weak_manifest(strangers=60, people=9).calibration
    ratios = calibration.log_likelihood_ratios(np.array([-1.0, 0.4, 1.0]), np.array([1, 1, 1]))
    assert ratios[2] == pytest.approx(24)  # a probability of .99999999996 by the line alone
    clipped = calibration.supported(ratios)
    np.testing.assert_allclose(clipped, [math.log(1 / 3), 0, math.log(20)])
    assert pair_probability(float(clipped[2]), 0.5) == pytest.approx(20 / 21)
    assert Support(9, 27, 60).log_ratio_bounds == pytest.approx((math.log(1 / 3), math.log(20)))


def test_what_is_lacking_is_said() -> None:
    said = " ".join(shortcomings(weak_manifest(strangers=60)))
    assert "rarer than 0.05" in said
    assert "likelihood ratio of 20" in said
    assert "within one group" in said
    assert "this check is absent" in said
    groups = {"people": 9, "photos": 27, "strangers": 60, "small_groups": ["north", "south"]}
    assert "no risk within north, south" in " ".join(shortcomings(weak_manifest(support=groups)))


def test_the_shipped_model_lacks_nothing() -> None:
    shipped = open_artifact(Settings().model_dir).manifest
    assert shortcomings(shipped) == ()
    assert shipped.calibration.bounds == (-math.inf, math.inf)


def test_evidence_of_another_file_is_refused() -> None:
    with pytest.raises(ModelArtifactError, match="calibration is evidence of another model file"):
        weak_manifest(calibration_evidence={"sha256": "b" * 64})
    with pytest.raises(ModelArtifactError, match="not valid"):
        weak_manifest(calibration_evidence=None)
    without = weak_document()
    del without["calibration_evidence"]
    with pytest.raises(ModelArtifactError, match="calibration_evidence"):
        ModelManifest.from_json(without)
    with pytest.raises(ModelArtifactError, match="recognisability is evidence of another"):
        weak_manifest(recognisability={"model_sha256": "b" * 64})
    assert weak_manifest().sha256 == SHA256
