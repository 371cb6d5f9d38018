from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from app.api.audits.page import audit_page
from app.api.audits.text import audit_text
from app.domain.audit.result import AuditResult
from tests.api.exchange import local_client
from tests.domain.audit.planted import audited, gallery_of, made_people
from tests.services.fakes import photo


def enroll(client: TestClient, name: str, shots: int = 3) -> None:
    files = [("photos", photo(name, shot)) for shot in range(shots)]
    data = {"employee_id": name, "full_name": name}
    assert client.post("/v1/enroll", data=data, files=files).status_code == 201


def finished(client: TestClient, where: str) -> dict[str, object]:
    while True:
        answer = client.get(where)
        assert answer.status_code == 200
        body: dict[str, object] = answer.json()
        if body["state"] != "running":
            return body
        time.sleep(0.02)


def test_an_audit_is_started_followed_and_read(client: TestClient) -> None:
    for name in ("ada", "bob", "cleo"):
        enroll(client, name)
    started = client.post("/v1/audits")
    assert started.status_code == 202
    assert started.json()["result"] is None
    body = finished(client, started.headers["location"])
    assert body["state"] == "finished"
    assert body["progress"] == 1
    result = body["result"]
    assert isinstance(result, dict)
    assert result["people_count"] == 3
    assert {rate["name"]: rate["measured"]["trials"] for rate in result["rates"]} == {
        "fnmr_verify": 9,
        "fnmr_identify": 9,
        "fmr_verify": 18,
        "fmr_identify": 18,
        "fpir_photos": 9,
        "fpir_people": 3,
    }
    assert result["advice"]


def test_the_report_is_one_page_that_fetches_nothing(client: TestClient) -> None:
    for name in ("ada", "bob"):
        enroll(client, name)
    where = client.post("/v1/audits").headers["location"]
    finished(client, where)
    report = client.get(f"{where}/report")
    assert report.status_code == 200
    assert report.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in report.headers["content-security-policy"]
    assert not re.search(r"(?:src|href)=|url\(|<script|<img", report.text)
    charts = re.findall(r"<svg.*?</svg>", report.text, re.DOTALL)
    assert len(charts) == 2
    for chart in charts:
        ElementTree.fromstring(chart)  # noqa: S314  our own text
    assert "none are stored" in report.text


def test_a_report_of_an_audit_without_result_is_refused(client: TestClient) -> None:
    where = client.post("/v1/audits").headers["location"]
    body = finished(client, where)
    assert (body["state"], body["failure"]) == ("failed", "nothing_to_audit")
    report = client.get(f"{where}/report")
    assert (report.status_code, report.json()["code"]) == (409, "audit_not_finished")


@pytest.mark.parametrize("path", ["", "/report"])
def test_an_unknown_audit_is_not_found(client: TestClient, path: str) -> None:
    answer = client.get(f"/v1/audits/none{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "audit_not_found")


def test_an_audit_needs_the_key(make_app: Callable[..., FastAPI]) -> None:
    with local_client(make_app(api_key="a-key-of-sixteen-or-more")) as client:
        assert client.post("/v1/audits").status_code == 401


def test_ids_are_escaped_in_the_page_and_stand_in_the_text() -> None:
    people = made_people(20, 3)
    people["<b>&"] = people["E-1"][:2]
    result = audited(gallery_of(people))
    page = audit_page(result, "<model>", datetime.now(UTC))
    assert "&lt;b&gt;&amp;" in page
    assert "<b>" not in page
    assert "<model>" not in page
    text = audit_text(result)
    assert "may be one person: 1\n  E-1 / <b>&" in text
    for rate in result.rates:
        assert rate.name in text
        assert rate.name in page
    for said in (page, text):
        assert "1:N 0.6900 (stated FPIR 1 %, promised to " in said
        assert ") and 1:1 0.6200; second enrollment 0.6600" in said


def test_the_similarity_to_another_is_left_open_where_nobody_else_is_enrolled() -> None:
    people = made_people(1, 3)
    people["E-0"][2] = made_people(1, 1, seed=9)["E-0"][0]
    result = audited(gallery_of(people))
    shape = TypeAdapter(AuditResult)
    (outlier,) = json.loads(shape.dump_json(result))["outliers"]
    assert outlier["other_similarity"] is None
    listed = shape.json_schema(mode="serialization")["$defs"]["OutlierPhoto"]["properties"]
    assert {"type": "null"} in listed["other_similarity"]["anyOf"]
    own = f"{outlier['own_similarity']:.3f}"
    assert f"(own {own}, other -)" in audit_text(result)
    page = audit_page(result, "model", datetime.now(UTC))
    assert f"<td>{own}</td><td>-</td>" in page
    assert "inf" not in page
