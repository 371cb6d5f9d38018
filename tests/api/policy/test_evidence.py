"""The policy says what a model was calibrated on, and what it cannot promise because of that."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from app.api.policy.presenters import policy_response
from app.domain.policy import RiskPolicy, RiskTargets
from app.search.faiss_index import FaissGalleryIndex
from app.services.policy import DecisionPolicy
from tests.domain.weak_models import weak_manifest


def test_a_weakly_calibrated_model_says_so() -> None:
    manifest = weak_manifest(strangers=60, people=9)
    risk = RiskPolicy(manifest, RiskTargets(0.06, 0.05))
    policy = DecisionPolicy(risk, FaissGalleryIndex(manifest.embedding_dim), 0.5, 0.5)
    answer = policy_response(policy, 0.06, 1000, manifest)
    assert not answer.identify.kept
    assert answer.identify.promised_rate > answer.identify.stated_rate
    assert answer.most_people == 36
    evidence = answer.evidence
    assert (evidence.people, evidence.photos, evidence.strangers) == (9, 27, 60)
    assert evidence.max_likelihood_ratio == pytest.approx(20)
    (population,) = evidence.populations
    assert population.rarest_attempt_rate == pytest.approx(0.05)
    assert population.rarest_comparison_rate == pytest.approx(3 / 1770)
    assert not evidence.recognisability
    assert "60 strangers support no more" in evidence.cannot_promise[0]
    assert "this check is absent" in evidence.cannot_promise[-1]


def test_a_model_with_bounds_of_its_own_counts_nobody(client: TestClient) -> None:
    evidence = client.get("/v1/policy").json()["evidence"]
    assert evidence["strangers"] is None
    assert evidence["populations"][0]["rarest_attempt_rate"] is None
    assert evidence["recognisability"] is True
    assert len(evidence["cannot_promise"]) == 1  # its strangers are of no group
