"""A misspelt setting stops the start; other people's variables do not."""

from __future__ import annotations

import pytest

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
