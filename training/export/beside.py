"""Two embedders side by side, for a card, and the rule by which one of them is the default."""

from __future__ import annotations

from training.evaluation.results import Evaluation
from training.foundation.sheets import Sheet, markdown
from training.metrics.estimates import estimate_text
from training.metrics.results import AllPairs, OpenSet

#: Ours is the default unless it is this much behind on validation people, for its speed.
TIE = 0.002
RULE_FAR = 1e-3
RULE_FPIR = 0.01


def beside_text(ours: Evaluation, other: Evaluation) -> str:
    """Return a section of a card: the table of both, and which is the default by the rule."""
    mine, theirs = (_tar(evaluation.val, RULE_FAR) for evaluation in (ours, other))
    chosen = ours if mine >= theirs - TIE else other
    sheet = Sheet(
        "",
        ("figure", ours.model, other.model),
        tuple(
            (name, one, two)
            for (name, one), (_, two) in zip(
                compared_figures(ours), compared_figures(other), strict=True
            )
        ),
    )
    return f"""## Beside {other.model}

{markdown(sheet)}

The default is whichever is more accurate on validation people (TAR at FAR {RULE_FAR:g}), ours up to
{100 * TIE:g} points behind: {mine:.3f} and {theirs:.3f}, hence **{chosen.model}**."""


def compared_figures(found: Evaluation) -> list[tuple[str, str]]:
    """Return the figures that two models are compared by, with their names."""
    strangers = found.strangers
    rows = [("LFW View 2, accuracy", estimate_text(found.lfw.accuracy))]
    rows += [
        (f"{name}, all pairs, TAR @ FAR {point.far:g}", estimate_text(point.tar))
        for name, pairs in (("LFW", found.lfw_all_pairs), ("val", found.val))
        for point in pairs.tar_at_far
    ]
    rows += [
        (f"LFW, FNIR @ FPIR 1 %, photos enrolled: {one.photos_enrolled}", _fnir(one))
        for one in found.lfw_open_set
    ]
    return [
        *rows,
        ("worst group over overall", f"{strangers.worst_over_overall:.1f} x"),
        ("TAR on LFW where the worst group has 1e-3", estimate_text(strangers.tar_lfw_at_worst)),
        ("TAR on val where the worst group has 1e-3", estimate_text(strangers.tar_val_at_worst)),
    ]


def _tar(pairs: AllPairs, far: float) -> float:
    return next(point.tar.value for point in pairs.tar_at_far if point.far == far)


def _fnir(found: OpenSet) -> str:
    return next(estimate_text(point.fnir) for point in found.points if point.fpir == RULE_FPIR)
