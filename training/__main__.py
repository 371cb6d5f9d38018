"""``python -m training``: one command for each step from pictures to a shipped embedder."""

from __future__ import annotations

from training.cli.app import run_command

if __name__ == "__main__":
    run_command()
