"""What an image must be, apart from what compose makes of it: its weight and what it holds."""

from __future__ import annotations

from tools.image_test.engine import Engine
from tools.image_test.errors import ImageFaultError

MAX_BYTES = 1_300_000_000
KEY = "only-for-this-test-of-the-image"

# Every module but the one that is torch's runtime. What is left out of the environment is not
# missed by any of them.
IMPORT_ALL = """
import importlib, importlib.util, pkgutil, app
assert importlib.util.find_spec("torch") is None, "torch is in the image"
for module in pkgutil.walk_packages(app.__path__, "app."):
    if module.name != "app.embedding.torchscript":
        importlib.import_module(module.name)
"""
# An ONNX file is read too: the part of OpenVINO for that must be there.
READ_FORMATS = """
import openvino
from openvino.frontend import FrontEndManager
have = set(FrontEndManager().get_available_front_ends())
assert {"ir", "onnx"} <= have, have
assert openvino.Core().available_devices == ["CPU"]
"""


def check_size(size: int) -> None:
    """Raise ``ImageFaultError`` where an image of so many bytes is too large."""
    if size > MAX_BYTES:
        raise ImageFaultError(f"the image has {size / 1e9:.2f} GB, {MAX_BYTES / 1e9} are allowed")


def image_size(engine: Engine, image: str) -> int:
    """Return an image's bytes, those of its base among them."""
    return int(engine.docker("image", "inspect", "--format", "{{.Size}}", image))


def check_content(engine: Engine, image: str) -> None:
    """Import all of the service in a container that has no network and writes nowhere."""
    for code in (IMPORT_ALL, READ_FORMATS):
        engine.docker(
            *("run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp"),  # noqa: S108
            *(image, "python", "-c", code),
        )


def check_refusal(engine: Engine, image: str) -> str:
    """Return the one line that says why there is no start with torch's runtime."""
    ended = engine.ended(
        *("docker", "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp"),  # noqa: S108
        *("--env", f"FACEGATE_API_KEY={KEY}", "--env", "FACEGATE_RUNTIME=torchscript", image),
    )
    lines = (ended.stdout + ended.stderr).strip().splitlines()
    refused = [line for line in lines if "cannot start" in line]
    if ended.returncode != 2 or len(refused) != 1 or "Traceback" in "".join(lines):
        shown = "\n".join(lines[-5:])
        raise ImageFaultError(f"FACEGATE_RUNTIME=torchscript ends {ended.returncode}:\n{shown}")
    return refused[0]
