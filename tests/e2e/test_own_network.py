"""From a folder of faces to a door with a network of one's own, by commands and over real HTTP."""

from __future__ import annotations

from io import StringIO
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
    said = StringIO()
    outcome = run_own_network(tmp_path, what, STEPS, Console(file=said, width=200))
    assert outcome.model_version.startswith(f"own-{what}-{what}+")
    assert outcome.enrolled == ENROLLED
    # Twenty steps teach little: some are verified, and most strangers are nobody.
    assert outcome.verified >= ENROLLED / 2
    assert outcome.unknown > outcome.strangers / 2
    assert outcome.within_promise
    # Eleven strangers: a risk of 3/11 and no less, and no probability near certainty.
    assert outcome.promised_risk >= 3 / 11
    assert outcome.highest_probability < 0.9
    assert "11 strangers support no more" in outcome.cannot_promise[0]
    told = " ".join(said.getvalue().split())
    assert "$ python -m training export" in told
    assert f"of strangers at most {outcome.promised_risk:.2g} are taken for one" in told
    log = (tmp_path / f"service-{what}" / "service.log").read_text()
    assert "promises no risk of an attempt rarer than 0.27" in log
