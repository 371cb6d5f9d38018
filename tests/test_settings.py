"""A misspelt setting stops the start; other people's variables do not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.settings import ELSEWHERE, PREFIX, Settings, misspelt_variables


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("TARGET_FPRI", "TARGET_FPIR"),
        ("API_KEYS", "API_KEY"),
        ("REQUIRE_LIVELINESS", "REQUIRE_LIVENESS"),
        ("MIN_SIMILARTY", "MIN_SIMILARITY"),
        ("target_fmrs", "TARGET_FMR"),
    ],
)
def test_a_misspelt_setting_is_named_with_the_one_meant(written: str, meant: str) -> None:
    assert misspelt_variables({PREFIX + written: "1"}) == {PREFIX + written: PREFIX + meant}


def test_settings_and_the_variables_of_others_are_left_alone() -> None:
    settings = {PREFIX + name.upper(): "1" for name in Settings.model_fields}
    links = {"FACEGATE_SERVICE_HOST": "10.0.0.1", "FACEGATE_PORT_8000_TCP_PORT": "8000"}
    names = ("DB_PORT", "DB_HOST", "URL", "LOG", "TAG", "HOME", "TOKEN", "COLOUR_OF_THE_DOOR")
    strange = dict.fromkeys((PREFIX + name for name in names), "1")
    strange |= {"PATH": "/bin", "facegate_workers": "2"}
    others = dict.fromkeys(ELSEWHERE, "1")
    assert misspelt_variables(settings | links | strange | others) == {}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ""),
        ("/", ""),
        ("/facegate", "/facegate"),
        (" /doors/facegate/ ", "/doors/facegate"),
    ],
)
def test_a_prefix_has_one_form(written: str, read: str) -> None:
    assert Settings(root_path=written).root_path == read


@pytest.mark.parametrize(
    "written", ["facegate", "/a b", "/a/../b", "/v1", "/docs/x", "//a", "/a?b"]
)
def test_what_is_no_prefix_stops_the_start(written: str) -> None:
    with pytest.raises(ValidationError):
        Settings(root_path=written)


def test_origins_are_read_as_browsers_send_them(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = "https://Doors.example/, http://127.0.0.1:8080,https://a.example:443,http://[::1]:9"
    monkeypatch.setenv("FACEGATE_ALLOWED_ORIGINS", listed)
    assert Settings().allowed_origins == (
        "https://doors.example",
        "http://127.0.0.1:8080",
        "https://a.example",
        "http://[::1]:9",
    )


@pytest.mark.parametrize(
    "written",
    ["*", "doors.example", "https://*.example", "https://a.example/path", "ftp://a", "null"],
)
def test_what_is_no_origin_stops_the_start(written: str) -> None:
    with pytest.raises(ValidationError, match="not an origin"):
        Settings.model_validate({"allowed_origins": written})


def test_metrics_for_a_key_need_one() -> None:
    with pytest.raises(ValidationError, match="FACEGATE_API_KEY"):
        Settings.model_validate({"metrics": "key"})
