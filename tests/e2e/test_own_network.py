"""From a folder of faces to a door with a network of one's own, by commands and over real HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from training.demo.own_network import ENROLLED, run_own_network

#: Enough to learn something; `make own-network` learns longer.
STEPS = 20


@pytest.mark.slow
@pytest.mark.parametrize("what", ["people", "digits"])
def test_a_network_of_ones_own_stands_at_a_door_and_says_what_it_may_promise(
    tmp_path: Path, what: str
) -> None:
    with Console(file=(tmp_path / "told.txt").open("w"), width=200) as console:
        outcome = run_own_network(tmp_path, what, STEPS, console)
    assert outcome.model_version.startswith(f"own-{what}-{what}+")
    assert outcome.enrolled == ENROLLED
    # Each enrolled photo is verified as whose it is, and most strangers are nobody.
    assert outcome.verified >= ENROLLED
    assert outcome.unknown > outcome.strangers / 2
    # Eleven strangers: a risk of 3/11 and no less, and no probability near certainty.
    assert outcome.promised_risk >= 3 / 11
    assert outcome.highest_probability < 0.9
    assert "11 strangers support no more" in outcome.cannot_promise[0]
    told = " ".join((tmp_path / "told.txt").read_text().split())
    assert "$ python -m training export" in told
    assert f"of strangers at most {outcome.promised_risk:.2g} are taken for one" in told
    log = (tmp_path / f"service-{what}" / "service.log").read_text()
    assert "promises no risk of an attempt rarer than 0.27" in log
