"""The compose file fits its schema, grants nothing needless, and starts with no default secret."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from ruamel.yaml import YAML
from sqlalchemy import make_url

from app.settings import SECRETS, Settings
from tests.packaging.dockerfile import ROOT, read_stages

COMPOSE_FILE = ROOT / "docker-compose.yml"
TEXT = COMPOSE_FILE.read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, object]] = YAML(typ="safe").load(TEXT)["services"]
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<operator>:?[-?+])?(?P<word>[^}]*)\}")


def test_the_file_fits_the_compose_schema() -> None:
    """The schema comes with the checker; nothing is fetched."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema", "--builtin-schema"),
            *("vendor.compose-spec", COMPOSE_FILE),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_docker_compose_1_29_reads_the_file() -> None:
    """It refuses what came to the specification later, a project's name among it."""
    document = YAML(typ="safe").load(TEXT)
    assert document.keys() <= {"services", "volumes"}
    known = {"image", "build", "environment", "ports", "volumes", "depends_on", "read_only"}
    known |= {"tmpfs", "cap_drop", "security_opt", "restart", "user", "healthcheck"}
    for service in SERVICES.values():
        assert service.keys() <= known


def test_data_is_found_whatever_the_project_is_called() -> None:
    volumes = YAML(typ="safe").load(TEXT)["volumes"]
    assert {name: each["name"] for name, each in volumes.items()} == {
        name: f"facegate_{name}" for name in ("service-data", "database-data")
    }


def test_every_secret_must_be_given() -> None:
    secrets = {
        match.group("name"): match
        for match in VARIABLE.finditer(TEXT)
        if re.search(r"KEY|PASSWORD|SECRET|TOKEN", match.group("name"))
    }
    assert secrets.keys() == {"FACEGATE_API_KEY", "FACEGATE_DATABASE_PASSWORD"}
    for match in VARIABLE.finditer(TEXT):
        if match.group("name") in secrets:
            assert match.group("operator") == ":?", "unset and empty must both be refused"
            assert match.group("word"), "the message tells what to do"


def test_no_secret_is_written_down() -> None:
    literal = re.compile(r"^ *\w*(?:KEY|PASSWORD|SECRET|TOKEN)\w*: *(?!\$\{)[^ ]", re.MULTILINE)
    assert not literal.search(TEXT)
    assert not re.search(r"://\w+:", TEXT), "a password in a URL would have to be quoted"


def test_every_variable_is_explained_in_the_example() -> None:
    explained = documented_variables()
    for match in VARIABLE.finditer(TEXT):
        assert match.group("name") in explained


def test_the_example_fills_in_no_secret() -> None:
    values = documented_variables()
    assert values["FACEGATE_API_KEY"] == ""
    assert values["FACEGATE_DATABASE_PASSWORD"] == ""


def test_the_example_explains_every_setting_and_no_other() -> None:
    settings = {f"FACEGATE_{name.upper()}" for name in Settings.model_fields}
    compose = {match.group("name") for match in VARIABLE.finditer(TEXT)}
    assert documented_variables().keys() == settings | compose


def test_every_setting_reaches_the_service_or_is_the_images_own() -> None:
    """Compose reads .env for its own variables only: what is not passed on is silently ignored."""
    passed = dict_of(SERVICES["facegate"])
    image = read_stages()[-1].environment()
    needless = {"FACEGATE_ALLOW_ANONYMOUS"}  # pointless: the key is compulsory here
    # Compose cannot ask for a variable or a file, whichever there is; who has files writes them in.
    needless |= {f"FACEGATE_{secret.upper()}_FILE" for secret in SECRETS}
    for name in {f"FACEGATE_{field.upper()}" for field in Settings.model_fields} - needless:
        assert name in passed or name in image
        if name in passed and name not in {f"FACEGATE_{secret.upper()}" for secret in SECRETS}:
            assert passed[name] == f"${{{name}:-}}"


def test_an_empty_variable_means_the_default() -> None:
    empty = dict.fromkeys(dict_of(SERVICES["facegate"]), "")
    code = "from app.settings import Settings; print(Settings().model_dump_json())"
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for env in ({}, empty)
    ]
    assert runs[0] == runs[1]


def documented_variables() -> dict[str, str]:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", text, re.MULTILINE))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_containers_have_no_rights_to_spare(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in list_of(service["tmpfs"])
    assert "privileged" not in service
    assert "cap_add" not in service
    assert service.get("user", read_stages()[-1].all_of("USER")[0]) not in ("root", "0")


def test_only_the_service_is_published_and_only_on_the_loopback() -> None:
    published = {name: list_of(each["ports"]) for name, each in SERVICES.items() if "ports" in each}
    assert published.keys() == {"facegate"}
    for port in published["facegate"]:
        assert port.startswith("${FACEGATE_PUBLISH_ADDRESS:-127.0.0.1}:")
        assert port.endswith(f":{read_stages()[-1].environment()['FACEGATE_PORT']}")


def test_the_service_waits_for_a_healthy_database() -> None:
    assert SERVICES["facegate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "healthcheck" in SERVICES["database"]
    assert read_stages()[-1].all_of("HEALTHCHECK")


def test_every_volume_is_named_and_the_service_writes_where_the_image_says() -> None:
    declared = YAML(typ="safe").load(TEXT)["volumes"].keys()
    used = {
        volume.split(":")[0]: volume.split(":")[1]
        for service in SERVICES.values()
        for volume in list_of(service["volumes"])
    }
    assert used.keys() == declared
    assert used["service-data"] == read_stages()[-1].environment()["FACEGATE_DATA_DIR"]


def test_build_arguments_are_those_of_the_dockerfile() -> None:
    build = SERVICES["facegate"]["build"]
    assert isinstance(build, dict)
    assert (ROOT / str(build["context"]) / "Dockerfile").is_file()
    known = {rest.split("=")[0] for stage in read_stages() for rest in stage.all_of("ARG")}
    assert set(build["args"]) <= known


def list_of(value: object) -> list[str]:
    assert isinstance(value, list)
    return [str(each) for each in value]


def test_the_url_names_an_installed_driver() -> None:
    url = make_url(
        VARIABLE.sub("secret", str(dict_of(SERVICES["facegate"])["FACEGATE_DATABASE_URL"]))
    )
    assert url.get_dialect().import_dbapi().__name__ == "psycopg"
    assert url.host in SERVICES
    database = dict_of(SERVICES["database"])
    assert (url.username, url.database) == (database["POSTGRES_USER"], database["POSTGRES_DB"])


def dict_of(service: dict[str, object]) -> dict[str, object]:
    environment = service["environment"]
    assert isinstance(environment, dict)
    return environment
