"""The alert rules parse, name metrics and labels that the service exposes, and rules they define.

Prometheus itself is not at hand; that an expression means what it should is for its author.
"""

from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from app.api.metrics.service import ServiceMetrics
from app.domain.errors import RefusedAttemptError
from app.domain.policy import RiskPolicy
from app.domain.verdict import Verdict
from tests.packaging.dockerfile import ROOT
from tests.services.conftest import RISK
from tests.services.fakes import MANIFEST, QUALITY

GROUPS: list[dict[str, object]] = YAML(typ="safe").load(
    (ROOT / "docs" / "alerts.yml").read_text(encoding="utf-8")
)["groups"]
DURATION = re.compile(r"\d+[smhdw]")
EXPOSED_NAME = re.compile(r"(?<![\w:])facegate_\w+")
RECORDED_NAME = re.compile(r"facegate:[\w:]+")
AGGREGATIONS = {"sum"}
FUNCTIONS = {"abs", "histogram_quantile", "increase", "rate", "sqrt"}
WORDS = {"and", "by", "offset", "or", "unless"}


def rules() -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for group in GROUPS:
        listed = group["rules"]
        assert isinstance(listed, list)
        found += listed
    return found


def expressions() -> list[str]:
    return [str(rule["expr"]) for rule in rules()]


def exposed() -> dict[str, set[str]]:
    """Return every series that one decision and a refusal of each kind make, with its labels."""
    policy = RiskPolicy(MANIFEST, RISK)
    metrics = ServiceMetrics(lambda: 1, {"claim": policy.verify})
    metrics.decided("verify", "known", 0.8)
    metrics.doors.saw("north", "verify", "known", 0.8, QUALITY)
    metrics.doors.refused_photo("north", "no_face")
    metrics.doors.refused_attempt("north", "liveness_failed")
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    return labels


def test_every_rule_has_the_shape_that_prometheus_takes() -> None:
    names = [group["name"] for group in GROUPS]
    assert len(set(names)) == len(names)
    for rule in rules():
        kind = {"record", "alert"} & rule.keys()
        assert len(kind) == 1, rule
        allowed = {"expr", "for", "labels", "annotations"} if kind == {"alert"} else {"expr"}
        assert rule.keys() <= allowed | kind
        assert DURATION.fullmatch(str(rule.get("for", "1m")))
        if kind == {"alert"}:
            annotations = rule["annotations"]
            assert isinstance(annotations, dict)
            assert annotations.keys() == {"summary", "description"}


def test_rules_name_metrics_that_exist_with_labels_that_they_have() -> None:
    series = exposed()
    for expression in expressions():
        for match in EXPOSED_NAME.finditer(expression):
            assert match.group() in series, expression
            selector = re.match(r"\{([^}]*)\}", expression[match.end() :])
            if selector:
                used = set(re.findall(r"(\w+)\s*[=!]", selector.group(1)))
                assert used <= series[match.group()], expression
        grouped = re.findall(r"by \(([^)]*)\)", expression)
        named = EXPOSED_NAME.findall(expression)
        for label in {one.strip() for group in grouped for one in group.split(",")}:
            assert all(label in series[name] for name in named), expression


def test_rules_use_what_rules_record() -> None:
    recorded = [str(rule["record"]) for rule in rules() if "record" in rule]
    assert len(set(recorded)) == len(recorded)
    used = {name for one in expressions() for name in RECORDED_NAME.findall(one)}
    assert used == set(recorded)


def test_every_verdict_but_the_accepted_has_a_share_that_is_compared_with_its_reference() -> None:
    recorded = {str(rule["record"]): str(rule["expr"]) for rule in rules() if "record" in rule}
    alerts = [str(rule["expr"]) for rule in rules() if "alert" in rule]
    for verdict in set(Verdict) - {Verdict.KNOWN}:
        now, reference = (
            f"facegate:door_{verdict.value}_share:{span}" for span in ("6h", "reference")
        )
        for name, span in ((now, "[6h]"), (reference, "[7d] offset 1d")):
            decisions = re.findall(r'verdicts_total\{decision=~"([^"]*)"\}', recorded[name])
            assert [verdict.value in listed.split("|") for listed in decisions] == [True]
            assert span in recorded[name]
        assert any(f"abs({now} - {reference})" in alert for alert in alerts)


def test_decisions_in_selectors_are_those_of_the_routes() -> None:
    routes = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "app" / "api").glob("*/*.py")
    )
    assert routes
    for expression in expressions():
        for listed in re.findall(r'decision=~"([^"]*)"', expression):
            for decision in listed.split("|"):
                assert decision in set(Verdict) or f'"{decision}"' in routes


def test_codes_in_selectors_are_those_of_refused_attempts() -> None:
    known = {error.code for error in RefusedAttemptError.__subclasses__()}
    listed = [
        code
        for expression in expressions()
        for codes in re.findall(r'code=~?"([^"]*)"', expression)
        for code in codes.split("|")
    ]
    assert listed
    assert set(listed) <= known


def test_expressions_are_balanced_and_call_what_exists() -> None:
    for expression in expressions():
        for opening, closing in ("()", "[]", "{}"):
            assert expression.count(opening) == expression.count(closing), expression
        bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|by \([^)]*\)', " ", expression)
        words = set(re.findall(r"(?<![\w:.])[a-z_]+(?![\w:])", bare))
        words = {word for word in words if not word.startswith("facegate")}
        assert words <= AGGREGATIONS | FUNCTIONS | WORDS, words
