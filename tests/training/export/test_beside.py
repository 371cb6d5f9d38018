"""Which of two embedders is the default, by the rule that a card tells."""

from __future__ import annotations

import pytest

from tests.training.evaluation.made_results import made_evaluation
from training.export.beside import beside_text


@pytest.mark.parametrize(
    ("ours", "theirs", "chosen"),
    [(0.9, 0.8, "ours"), (0.9, 0.9015, "ours"), (0.9, 0.903, "theirs")],
)
def test_the_default_is_ours_unless_it_is_clearly_behind_on_validation_people(
    ours: float, theirs: float, chosen: str
) -> None:
    text = beside_text(made_evaluation("ours", ours), made_evaluation("theirs", theirs))
    assert f"hence **{chosen}**" in text
    assert "| worst group over overall | 4.0 x | 4.0 x |" in text
    assert "LFW, FNIR @ FPIR 1 %, photos enrolled: 3" in text
