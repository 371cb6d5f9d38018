"""``python -m app.embedding MODEL FOLDER``: convert a model for OpenVINO; served without torch."""

from __future__ import annotations

import sys
from pathlib import Path

from app.domain.errors import FacegateError
from app.embedding.artifact import open_artifact
from app.embedding.prepared import prepare


def main(arguments: list[str]) -> None:
    """Convert the model of one folder into another; what prevents it is one line and status 1."""
    if len(arguments) != 2:
        sys.exit("say the model's folder, and where the converted files go")
    model, folder = map(Path, arguments)
    try:
        prepare(open_artifact(model), folder)
    except (FacegateError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
