"""A TorchScript model in the form that OpenVINO reads, kept in files: serving then needs no torch.

Converting a model takes torch, seconds and hundreds of megabytes; what comes of it depends on the
model's file and on OpenVINO's version alone. So it is made once, by a process of its own, and found
again by both.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from app.domain.errors import ModelArtifactError, UnsupportedRuntimeError
from app.domain.golden import golden_input
from app.domain.runtime import Runtime
from app.embedding.artifact import ModelArtifact
from app.embedding.checked import CheckedEmbedder
from app.embedding.openvino import compile_by_openvino, save_for_openvino

logger = logging.getLogger(__name__)

#: The folder beside a model's manifest where an image's builder puts it.
FOLDER = "prepared"
#: What converts the model of one folder into another.
COMMAND = "python -m app.embedding"
GRAPH = "model.xml"
_WEIGHTS, _RECORD, _MADE = "model.bin", "record.json", "-openvino-"
_MAX_SECONDS = 300.0


def find_prepared(artifact: ModelArtifact, folders: Iterable[Path]) -> Path | None:
    """Return the graph's file of the first of ``folders`` that holds it whole; None: of none.

    What is damaged counts as missing: a record holds the hashes of both files.
    """
    for folder in folders:
        if _is_whole(artifact, made := folder / _name(artifact)):
            return made / GRAPH
    return None


def require_torch(artifact: ModelArtifact, runtime: Runtime) -> None:
    """Raise ``UnsupportedRuntimeError`` where torch is missing, which the image leaves out."""
    if find_spec("torch") is not None:
        return
    if runtime is Runtime.TORCHSCRIPT:
        raise UnsupportedRuntimeError(
            "the runtime 'torchscript' needs torch, which is not installed here (the image leaves "
            "it out); use the runtime 'auto', 'openvino' or 'openvino-bf16'"
        )
    folder = artifact.path.parent
    raise UnsupportedRuntimeError(
        f"{folder} holds no files for OpenVINO {metadata.version('openvino')}, and torch, which "
        "makes them, is not installed here (the image leaves it out); where it is: "
        f"{COMMAND} {folder} {folder / FOLDER}"
    )


def _is_whole(artifact: ModelArtifact, made: Path) -> bool:
    try:
        record: object = json.loads((made / _RECORD).read_text())
        return record == _record(artifact, made)
    except (OSError, ValueError):
        return False


def prepare_apart(artifact: ModelArtifact, folder: Path) -> Path | None:
    """Let a process of its own convert the model into ``folder``; return the graph's file.

    None where that failed, which is logged: the caller can convert for itself.
    """
    model, target = artifact.path.parent.resolve(), folder.resolve()
    command = (sys.executable, "-m", __package__, str(model), str(target))
    try:
        done = subprocess.run(  # noqa: S603  # our own command
            command,
            cwd=Path(__file__).parents[2],  # where the same code is found, installed or not
            capture_output=True,
            text=True,
            timeout=_MAX_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        logger.warning("the model could not be prepared apart: %s", error)
        return None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        logger.warning("the model could not be prepared in %s: %s", folder, last)
        return None
    return find_prepared(artifact, (folder,))


def prepare(artifact: ModelArtifact, folder: Path) -> Path:
    """Convert the model into ``folder`` and return the graph's file; removes what it replaces.

    Raises ``ModelArtifactError`` where the model is no TorchScript module, cannot be converted or
    the files do not give its golden answer, ``UnsupportedRuntimeError`` where there is no torch to
    read it, and ``OSError`` where nothing can be written.
    """
    if artifact.manifest.format != "torchscript":
        raise ModelArtifactError(
            f"OpenVINO reads {artifact.path.name} as it is: nothing to prepare"
        )
    require_torch(artifact, Runtime.OPENVINO)
    from app.embedding.torchscript import read_module  # it imports torch, which finding does not

    folder.mkdir(parents=True, exist_ok=True)
    apart, made = Path(tempfile.mkdtemp(prefix=".making-", dir=folder)), folder / _name(artifact)
    try:
        save_for_openvino(read_module(artifact), apart / GRAPH, artifact.manifest.input_size)
        (apart / _RECORD).write_text(json.dumps(_record(artifact, apart), indent=1) + "\n")
        _require_golden(artifact, apart / GRAPH)
        apart.chmod(0o755)
        if not _is_whole(artifact, made):  # else another process was faster
            shutil.rmtree(made, ignore_errors=True)
            apart.rename(made)
    finally:
        shutil.rmtree(apart, ignore_errors=True)
    for other in folder.iterdir():
        if other != made and _MADE in other.name and not other.name.startswith("."):
            shutil.rmtree(other, ignore_errors=True)
    return made / GRAPH


def _require_golden(artifact: ModelArtifact, graph: Path) -> None:
    example = golden_input(artifact.manifest.input_size)
    network = compile_by_openvino(graph, example, bfloat16=False, streams=1)
    CheckedEmbedder(artifact.manifest, network, Runtime.OPENVINO)


def _name(artifact: ModelArtifact) -> str:
    return f"{artifact.manifest.sha256[:16]}{_MADE}{metadata.version('openvino')}"


def _record(artifact: ModelArtifact, made: Path) -> dict[str, object]:
    files = {}
    for name in (GRAPH, _WEIGHTS):
        with (made / name).open("rb") as content:
            files[name] = hashlib.file_digest(content, "sha256").hexdigest()
    return {"model": artifact.manifest.sha256, "files": files}
