"""From an ONNX network of others to a model folder that the service loads without torch."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import ModelArtifactError
from training.export.learned import parity_crops
from training.export.learned_origin import OnnxOrigin
from training.export.manifest import ONNX_FILE
from training.export.package import Calibrator, ExportError, require_size, write_folder
from training.export.parity import Parity, measure_parity
from training.export.provenance import DataFile
from training.foundation.arrays import ByteImage
from training.foundation.errors import ForeignNetworkError
from training.foundation.files import file_sha256
from training.networks.published.onnx_embedder import (
    ForeignEmbedder,
    ForeignReference,
    Preprocess,
    read_foreign,
    write_contract,
)


@dataclass(frozen=True)
class OnnxImport:
    """Which file is imported and how it wants to be fed; ``source`` says where it is from."""

    path: Path
    preprocess: Preprocess
    bgr: bool
    output: str | None
    licence: str | None
    source: str | None
    command: str

    def origin(self, foreign: ForeignEmbedder) -> OnnxOrigin:
        """Return what the manifest keeps of it."""
        return OnnxOrigin(
            network=foreign.described,
            file=self.path.name,
            sha256=file_sha256(self.path),
            source=self.source,
            preprocess=self.preprocess.value,
            bgr=self.bgr,
            output=self.output,
            licence=self.licence,
            command=self.command,
        )


def import_network(
    wanted: OnnxImport,
    folder: Path,
    name: str,
    faces: ByteImage,
    calibrator: Calibrator,
    data: tuple[DataFile, ...],
    *,
    replace: bool,
    max_bytes: int,
) -> Parity:
    """Write ``folder`` whole from an ONNX file; ``faces`` as for ``export_learned``.

    Raises ``ForeignNetworkError`` where the file is no network of aligned 112 px faces,
    ``ModelArtifactError`` where OpenVINO does not run it, and what ``write_folder`` raises.
    """
    if not wanted.path.is_file():
        raise ForeignNetworkError(f"{wanted.path} does not exist")
    foreign = read_foreign(wanted.path, wanted.preprocess, bgr=wanted.bgr, output=wanted.output)
    return write_folder(
        lambda partial: _write_onnx(foreign, partial, parity_crops(faces), max_bytes),
        wanted.origin(foreign),
        folder,
        name,
        calibrator,
        data,
        replace=replace,
    )


def _write_onnx(
    foreign: ForeignEmbedder, folder: Path, faces: ByteImage, max_bytes: int
) -> tuple[Path, Parity]:
    """Write the file and return it with its parity to the network as it came."""
    path = folder / ONNX_FILE
    write_contract(foreign, path)
    require_size(path, max_bytes)
    scratch = Path(tempfile.mkdtemp(prefix="facegate-"))
    try:
        reference = ForeignReference(foreign, scratch)
        parity = measure_parity(reference, path, faces, "ONNX")
    except (ModelArtifactError, RuntimeError, ValueError) as error:
        said = str(error).strip().splitlines()[0]
        raise ForeignNetworkError(
            f"the network does not run on several 112 px pictures at once: {said}"
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if not parity.holds:
        raise ExportError(f"the written file disagrees with the network as it came: {parity}")
    return path, parity
