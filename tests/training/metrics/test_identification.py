"""Who is it or nobody: thresholds, probabilities and verdicts against slow definitions."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.metrics.made_tables import made_table
from training.evaluation.table_evaluation import open_set_of
from training.metrics.identification import PRIOR_UNKNOWN, choose_rule, identify_queries
from training.metrics.open_set import centroids
from training.metrics.table_parts import label_name

CHOSEN_ON, SHOWN = made_table([5] * 40, noise=0.7, seed=1), made_table([5] * 30, noise=0.7, seed=2)


def test_a_rule_keeps_its_risk_on_the_outsiders_that_chose_it_and_says_how_many_they_were() -> None:
    found = open_set_of(CHOSEN_ON, 3, seed=0)
    assert found is not None
    parts, scores = found
    rule = choose_rule(CHOSEN_ON, parts, 0.1)
    assert (scores.peaks >= rule.threshold).mean() <= 0.1
    assert rule.outsiders == len(parts.outsiders) == 60
    assert rule.outsider_identities == 12
    assert rule.supported_fpir == pytest.approx(3 / 12)
    assert rule.photos_enrolled == 3


def test_identities_are_ranked_by_centroid_with_probabilities_of_everybody_and_nobody() -> None:
    chosen, shown = open_set_of(CHOSEN_ON, 3, seed=0), open_set_of(SHOWN, 3, seed=0)
    assert chosen is not None
    assert shown is not None
    rule = choose_rule(CHOSEN_ON, chosen[0], 0.1)
    parts, _ = shown
    enrolled = parts.enrollment.enrolled
    rows = np.concatenate([parts.enrollment.probes[:6], parts.outsiders[:6]])
    answers = identify_queries(SHOWN, parts, rows, rule, len(enrolled))
    assert rule.slope is not None
    assert rule.intercept is not None
    for row, answer in zip(rows, answers, strict=True):
        cosines = SHOWN.embeddings[row] @ centroids(SHOWN.embeddings, enrolled).T
        odds = np.exp(rule.slope * cosines.astype(float) + rule.intercept)
        weights = (1 - PRIOR_UNKNOWN) * odds / len(enrolled)
        expected = weights / (weights.sum() + PRIOR_UNKNOWN)
        order = np.argsort(-cosines)
        told = [hit.probability for hit in answer.hits]
        assert told == pytest.approx(expected[order], abs=1e-4)
        assert answer.nobody == pytest.approx(1 - expected.sum(), abs=1e-4)
        labels = [label_name(SHOWN, int(enrolled[place, 0])) for place in order]
        assert [hit.label for hit in answer.hits] == labels
        assert answer.verdict == ("known" if cosines.max() >= rule.threshold else "unknown")
        assert answer.known == (label_name(SHOWN, int(row)) in labels)
        assert answer.hits[0].key in {SHOWN.keys[image] for image in enrolled[order[0]]}


def test_without_a_rule_no_probability_and_no_verdict_is_told() -> None:
    shown = open_set_of(SHOWN, 1, seed=0)
    assert shown is not None
    (answer,) = identify_queries(SHOWN, shown[0], shown[0].outsiders[:1], None, 5)
    assert answer.verdict is None
    assert answer.nobody is None
    assert {hit.probability for hit in answer.hits} == {None}
    assert not answer.known
