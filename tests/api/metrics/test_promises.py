from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.api.metrics.promises import expose_promises
from app.bootstrap import make_metrics, warn_of_broken_promise
from app.domain.policy import Promise, PromiseFor, RiskPolicy, RiskTargets
from app.domain.tails import ImpostorTail
from app.services.policy import DecisionPolicy
from tests.api.requests import enroll_team
from tests.services.conftest import RISK
from tests.services.fakes import MANIFEST
from tests.services.test_policy import index_of


def read(exposed: str) -> dict[tuple[str, str], float]:
    return {
        (sample.name.removeprefix("facegate_policy_"), sample.labels["question"]): sample.value
        for family in text_string_to_metric_families(exposed)
        for sample in family.samples
        if sample.name.startswith("facegate_policy_")
    }


def test_the_promise_in_force_moves_with_the_gallery(client: TestClient) -> None:
    before = read(client.get("/metrics").text)
    enroll_team(client)
    after = read(client.get("/metrics").text)
    told = client.get("/v1/policy").json()
    for question, part in (("identify", "identify"), ("claim", "verify")):
        assert after["promised_rate", question] == pytest.approx(told[part]["promised_rate"])
        assert after["promise_kept", question] == 1
    assert after["promised_rate", "claim"] == before["promised_rate", "claim"]
    assert not [name for name, _ in after if "threshold" in name]


def test_the_service_tells_when_its_gallery_outgrows_the_stated_risk() -> None:
    index = index_of(150, alike=0.0)
    risk = RiskPolicy(MANIFEST, RiskTargets(fpir=0.0001, fmr=0.001))
    assert risk.max_people(0.0001) < 150
    policy = DecisionPolicy(risk, index, 0.5, 0.5)
    crowded = read(make_metrics(policy).exposition().decode())
    assert crowded["promise_kept", "identify"] == 0
    assert crowded["promise_kept", "claim"] == 1
    index.replace_all([], 1)
    assert read(make_metrics(policy).exposition().decode())["promise_kept", "identify"] == 1


def test_a_gallery_too_large_for_the_stated_risk_shows() -> None:
    policy = RiskPolicy(MANIFEST, RISK)
    most = policy.max_people(RISK.fpir)
    people = [most]

    def promise() -> Promise:
        return policy.promise(RISK.fpir, people[0])

    registry = CollectorRegistry()
    promises: dict[str, Callable[[], Promise]] = {"identify": promise}
    expose_promises(promises, registry)
    assert read(generate_latest(registry).decode())["promise_kept", "identify"] == 1
    people[0] = 2 * most
    crowded = read(generate_latest(registry).decode())
    assert crowded["promise_kept", "identify"] == 0
    assert crowded["promised_rate", "identify"] > RISK.fpir


def test_metrics_and_start_say_to_whom_it_is_promised(caplog: pytest.LogCaptureFixture) -> None:
    everyone = ImpostorTail("everyone", ((0.1, 0.1), (1e-3, 0.3), (1e-7, 0.5)), 1e-6)
    group = ImpostorTail("one group", ((0.1, 0.2), (1e-3, 0.4), (1e-7, 0.6)), 1e-6)
    manifest = dataclasses.replace(MANIFEST, tails=(everyone, group))
    told = {}
    for whom in PromiseFor:
        risk = RiskPolicy(manifest, dataclasses.replace(RISK, promise_for=whom))
        policy = DecisionPolicy(risk, index_of(50, alike=0.0), 0.5, 0.5)
        told[whom] = read(make_metrics(policy).exposition().decode())
        caplog.clear()
        warn_of_broken_promise(policy.identify())
        assert ("FACEGATE_PROMISE_FOR=mixed" in caplog.text) is (whom is PromiseFor.MIXED)
    assert "where all are of one, as one group, " in caplog.text
    for question, stated in (("identify", RISK.fpir), ("claim", RISK.fmr)):
        worst, mixed = (told[whom] for whom in (PromiseFor.WORST_GROUP, PromiseFor.MIXED))
        assert worst["promised_rate", question] == pytest.approx(stated)
        assert mixed["promised_rate", question] == pytest.approx(stated)
        assert worst["worst_group_rate", question] <= stated * 1.0001
        assert mixed["worst_group_rate", question] > stated
        assert (worst["promise_to_mixed", question], mixed["promise_to_mixed", question]) == (0, 1)


def test_a_start_with_too_many_people_says_so(caplog: pytest.LogCaptureFixture) -> None:
    policy = RiskPolicy(MANIFEST, RISK)
    most = policy.max_people(RISK.fpir)
    warn_of_broken_promise(policy.promise(RISK.fpir, most))
    assert not caplog.records
    warn_of_broken_promise(policy.promise(RISK.fpir, 2 * most))
    assert f"{2 * most} people are too many for FACEGATE_TARGET_FPIR=0.01" in caplog.text
