"""``python -m tools.image_test``: the image as whoever types ``docker compose up`` gets it.

Builds it, starts it beside PostgreSQL on read-only roots, enrolls an invented person over HTTP,
starts it anew, and verifies that this person is still known and a stranger nobody. Prints what it
weighs; ends with 1 where something is wrong or too large, with 2 where it cannot run here. Base
images are made of Debian's packages (as root, with debootstrap; DEBIAN_MIRROR names a mirror)
unless PYTHON_IMAGE and DATABASE_IMAGE name some. Containers, volumes, tagged images and an engine
that was started for it are gone afterwards; what an engine of yours keeps as cache stays.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import httpx2

from tools.image_test.base_images import make_stand_ins, named_images
from tools.image_test.checks import (
    KEY,
    MAX_BYTES,
    check_content,
    check_refusal,
    check_size,
    image_size,
)
from tools.image_test.engine import Engine, engine_for_test, needs_of_this_machine
from tools.image_test.errors import CannotTestError, ImageFaultError
from tools.image_test.package_index import (
    CERTIFICATES,
    build_arguments,
    read_settings,
    served_folders,
)
from tools.image_test.project import IMAGE, ROOT, Project, make_project

PEOPLE = ROOT / "tests" / "fixtures" / "people"
FAULT, CANNOT_TEST = 1, 2


def main() -> int:
    """Test the image and return the exit status."""
    named = named_images(os.environ)
    needs = needs_of_this_machine()
    missing = needs.missing(stand_ins=named is None)
    try:
        if missing:
            raise CannotTestError("\n".join(["missing here:", *(f"- {each}" for each in missing)]))
        with ExitStack() as stack:
            # Engines write as root and mount things there; what they leave is not worth a failure.
            folder = Path(
                stack.enter_context(
                    tempfile.TemporaryDirectory(prefix="image-test-", ignore_cleanup_errors=True)
                )
            )
            engine = stack.enter_context(engine_for_test(needs, folder))
            options = read_settings(_pip_settings())
            say("making the base images" if named is None else "using the base images named")
            bases = named or make_stand_ins(engine, folder, os.environ, options.get(CERTIFICATES))
            stack.callback(_remove_images, engine, (IMAGE, *bases.made))
            serve = stack.enter_context(served_folders())
            project = make_project(engine, folder, bases, build_arguments(options, serve))
            _test(engine, project)
    except CannotTestError as error:
        print(f"image-test cannot run: {error}", file=sys.stderr)
        return CANNOT_TEST
    except ImageFaultError as error:
        print(f"image-test failed: {error}", file=sys.stderr)
        return FAULT
    return 0


def _test(engine: Engine, project: Project) -> None:
    say("building the image")
    project.compose("build", "facegate")
    size = image_size(engine, IMAGE)
    say(f"image size: {size / 1e9:.3f} GB (limit {MAX_BYTES / 1e9} GB)")
    check_size(size)
    check_content(engine, IMAGE)
    say("torch's runtime is refused: " + check_refusal(engine, IMAGE))
    try:
        say(f"first start: both containers healthy after {project.start():.1f} s")
        project.check_confinement()
        say(f"resident memory, nobody enrolled: {_megabytes(project)}")
        with httpx2.Client(
            base_url=project.url, headers={"X-API-Key": KEY}, timeout=60.0
        ) as client:
            enroll(client, "person-01", ("1.jpg", "2.jpg", "3.jpg"))
        project.compose("down")
        say(f"second start, new containers: healthy after {project.start():.1f} s")
        with httpx2.Client(
            base_url=project.url, headers={"X-API-Key": KEY}, timeout=60.0
        ) as client:
            require(client, "person-01/4.jpg", "known", "person-01")
            require(client, "person-02/1.jpg", "unknown", None)
        say("the enrolled person is known, a stranger is nobody")
        say(f"resident memory, after two verifications: {_megabytes(project)}")
    finally:
        project.compose("down", "--volumes", "--remove-orphans")


def enroll(client: httpx2.Client, person: str, photos: tuple[str, ...]) -> None:
    """Enroll an invented person with all of some photos; raises ``ImageFaultError``."""
    files = [("photos", (name, (PEOPLE / person / name).read_bytes())) for name in photos]
    answer = client.post(
        "/v1/enroll", data={"employee_id": person, "full_name": "Invented Person"}, files=files
    )
    if answer.status_code not in {200, 201} or answer.json()["enrolled_count"] != len(photos):
        raise ImageFaultError(f"enroll: {answer.status_code} {answer.text[:500]}")


def require(client: httpx2.Client, photo: str, decision: str, person: str | None) -> None:
    """Verify a photo; raises ``ImageFaultError`` unless the answer is this decision and person."""
    answer = client.post(
        "/v1/verify", files={"photo": ("photo.jpg", (PEOPLE / photo).read_bytes())}
    )
    if answer.status_code != 200:
        raise ImageFaultError(f"verify {photo}: {answer.status_code} {answer.text[:500]}")
    decided = answer.json()
    found = (decided["employee"] or {}).get("employee_id")
    if (decided["decision"], found) != (decision, person):
        raise ImageFaultError(f"verify {photo}: {decided['decision']}, {found}")


def say(text: str) -> None:
    """Print a line at once: a build takes minutes."""
    print(f"image-test: {text}", flush=True)


def _megabytes(project: Project) -> str:
    memory = project.memory()
    return f"{memory['now'] / 1e6:.0f} MB (most so far {memory['most'] / 1e6:.0f} MB)"


def _pip_settings() -> str:
    run = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    return run.stdout


def _remove_images(engine: Engine, images: tuple[str, ...]) -> None:
    for image in images:
        engine.ended("docker", "image", "rm", image)


if __name__ == "__main__":
    sys.exit(main())
