"""A misspelt setting stops the start; other people's variables do not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.bootstrap import database_of
from app.registry.database import parse_url
from app.settings import ELSEWHERE, PREFIX, SECRETS, Settings, misspelt_variables


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


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return an environment without any setting."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    return monkeypatch


KEY = "a-key-of-sixteen-or-more"


@pytest.mark.parametrize("written", [f"{KEY}\n", f"{KEY} ", f" {KEY}\t", f"{KEY}\r\n", KEY])
def test_white_space_around_a_key_is_none_of_it(plain: pytest.MonkeyPatch, written: str) -> None:
    """A caller cannot send it: HTTP trims what a header holds."""
    plain.setenv("FACEGATE_API_KEY", written)
    assert Settings().required_api_key == KEY


@pytest.mark.parametrize(
    "key",
    ["schlüssel-mit-umlaut-ü", "key with blanks in it", "key\nof two lines", "a" * 20 + "\x7f"],
)
def test_a_key_that_no_header_can_carry_is_refused(plain: pytest.MonkeyPatch, key: str) -> None:
    plain.setenv("FACEGATE_API_KEY", key)
    with pytest.raises(ValidationError, match="printable ASCII") as caught:
        Settings()
    assert key not in str(caught.value.errors(include_input=False))


@pytest.mark.parametrize("blank", [" ", "\n", "\t \r\n"])
def test_a_blank_key_does_not_open_the_doors(plain: pytest.MonkeyPatch, blank: str) -> None:
    plain.setenv("FACEGATE_API_KEY", blank)
    with pytest.raises(ValidationError, match="white space only"):
        Settings()


@pytest.mark.parametrize("secret", SECRETS)
def test_every_secret_may_stand_in_a_file(
    plain: pytest.MonkeyPatch, tmp_path: Path, secret: str
) -> None:
    file = tmp_path / "secret"
    file.write_text("postgresql://a-secret-of-sixteen-letters\n")
    plain.setenv(f"FACEGATE_{secret.upper()}_FILE", str(file))
    value = getattr(Settings(), secret)
    assert value.get_secret_value() == "postgresql://a-secret-of-sixteen-letters"
    assert "sixteen" not in repr(Settings())


def test_settings_name_every_secret() -> None:
    secrets = {name for name, one in Settings.model_fields.items() if "SecretStr" in str(one)}
    assert secrets == set(SECRETS)
    assert {f"{name}_file" for name in SECRETS} <= Settings.model_fields.keys()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe-secret", "is no text"),
        (b"k" * 70_000, "too long to be a secret"),
    ],
)
def test_a_secret_file_that_holds_none_is_told(
    plain: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    plain.setenv("FACEGATE_API_KEY_FILE", str(file))
    with pytest.raises(ValidationError, match="FACEGATE_API_KEY_FILE") as caught:
        Settings()
    assert said in str(caught.value)


def test_a_secret_and_its_file_are_not_both_taken(
    plain: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plain.setenv("FACEGATE_API_KEY", KEY)
    plain.setenv("FACEGATE_API_KEY_FILE", str(tmp_path))
    with pytest.raises(ValidationError, match="give one of them"):
        Settings()


def test_the_home_folder_is_meant_as_a_shell_means_it(
    plain: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plain.setenv("HOME", str(tmp_path))
    plain.setenv("FACEGATE_DATA_DIR", "~/data")
    assert Settings().database == tmp_path / "data" / "facegate.sqlite3"
    plain.setenv("FACEGATE_DATA_DIR", str(tmp_path / "a~b?c%20#d"))
    assert Settings().database == tmp_path / "a~b?c%20#d" / "facegate.sqlite3"


def test_a_password_of_its_own_needs_no_quoting(plain: pytest.MonkeyPatch) -> None:
    plain.setenv("FACEGATE_DATABASE_URL", "postgresql+psycopg://facegate@database:5432/facegate")
    plain.setenv("FACEGATE_DATABASE_PASSWORD", "p@ss:w/rd?#%")
    url = parse_url(database_of(Settings()))
    assert (url.password, url.host, url.database) == ("p@ss:w/rd?#%", "database", "facegate")
    plain.setenv("FACEGATE_DATABASE_URL", "postgresql+psycopg://facegate:own@database/facegate")
    assert parse_url(database_of(Settings())).password == "own"
