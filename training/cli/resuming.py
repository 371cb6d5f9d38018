"""What becomes of a run that exists already."""

from __future__ import annotations

from pathlib import Path

from training.engines.run_folder import RunFolder
from training.foundation.errors import DataError


def require_room(folder: Path, *, resume: bool, force: bool) -> None:
    """Refuse to replace a run unasked, before data is read.

    Raises ``RunExistsError`` for a folder with a run, ``DataError`` for both options at once.
    """
    if resume and force:
        raise DataError("--resume goes on with a run, --force replaces it: give one of them")
    if not resume and not force:
        RunFolder(folder).refuse_earlier()
