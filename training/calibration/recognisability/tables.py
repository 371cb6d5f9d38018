"""What the centres of what a model cannot read cost and catch, as tables and for its manifest."""

from __future__ import annotations

import base64

import numpy as np

from app.domain.recognisability import Recognisability
from training.calibration.recognisability.fit import (
    Limits,
    OddRows,
    PlainRows,
    centres_of,
    fit_limits,
    outcome,
    refused,
)
from training.foundation.arrays import Matrix
from training.foundation.sheets import Sheet
from training.metrics.estimates import estimate_text
from training.recipes.build_recipe import RecognisabilityRecipe

TRIED = (1, 4, 16, 64, 128, 256, 512)


def manifest_block(
    centres: Matrix,
    limits: Limits,
    odd: OddRows,
    settings: RecognisabilityRecipe,
    model_sha256: str,
) -> dict[str, object]:
    """Return what the manifest says of recognisability, readable by ``ModelManifest``.

    ``model_sha256``: the hash of the model's file that read the pictures.
    """
    block = Recognisability(centres, limits.enrollment, limits.verification)
    people = len(next(iter(odd.fitted.values())))
    return {
        "centres": base64.b64encode(centres.astype("<f4").tobytes()).decode(),
        "sha256": block.sha256,
        "model_sha256": model_sha256,
        "min_enrollment": limits.enrollment,
        "min_verification": limits.verification,
        "evidence": (
            f"spherical k-means on up to {people} people of FairFace in {len(odd.fitted)} odd "
            f"kinds ({', '.join(odd.fitted)}); limits: {100 * settings.enrollment_share:g} % and "
            f"{100 * settings.verification_share:g} % of validation photos lie below them"
        ),
    }


def choice_sheet(
    odd: OddRows, plain: PlainRows, threshold: float, settings: RecognisabilityRecipe
) -> Sheet:
    """Return what other numbers of centres refuse and leave, at the door's limit."""
    rows = []
    for count in (count for count in TRIED if count <= len(odd.stacked)):
        centres = centres_of(odd, count)
        limits = fit_limits(plain.val, centres, settings)
        found = {
            name: outcome(odd.held_out[name], centres, limits.verification, threshold)
            for name in odd.held_out
        }
        seen = [one for name, one in found.items() if name in odd.fitted]
        unseen = [one for name, one in found.items() if name not in odd.fitted]
        rows.append(
            (
                str(count),
                f"{limits.enrollment:.3f} / {limits.verification:.3f}",
                f"{np.mean([one.refused.value for one in seen]):.3f}",
                f"{max(one.passing_and_matching for one in seen):.1e}",
                f"{np.mean([one.refused.value for one in unseen]):.3f}",
                f"{max(one.passing_and_matching for one in unseen):.1e}",
                f"{refused(plain.others['masked faces'], centres, limits.verification).value:.3f}",
                f"{refused(plain.others['LFW'], centres, limits.verification).value:.4f}",
            )
        )
    return Sheet(
        "How many centres: other people of FairFace, aligned crops, at the door's limit",
        (
            "centres",
            "limits: enrollment / door",
            "fitted kinds refused",
            "worst: pass and match",
            "other kinds refused",
            "worst: pass and match",
            "masked refused",
            "LFW refused",
        ),
        tuple(rows),
    )


def cost_sheet(plain: PlainRows, centres: Matrix, limits: Limits) -> Sheet:
    """Return which plain pictures are refused; limits were chosen on the validation people."""
    return Sheet(
        f"Refused of plain pictures (limits {limits.enrollment:.3f} and {limits.verification:.3f})",
        ("pictures", "number", "at enrollment", "at the door"),
        tuple(
            (
                name,
                f"{len(rows):,}",
                estimate_text(refused(rows, centres, limits.enrollment)),
                estimate_text(refused(rows, centres, limits.verification)),
            )
            for name, rows in (("validation (chose the limits)", plain.val), *plain.others.items())
        ),
    )


def kind_sheet(odd: OddRows, centres: Matrix, limits: Limits, threshold: float) -> Sheet:
    """Return each kind of rendering, of people that no centre was fitted on."""
    rows = []
    for name, embedded in odd.held_out.items():
        found = outcome(embedded, centres, limits.verification, threshold)
        rows.append(
            (
                name + ("" if name in odd.fitted else " (not fitted on)"),
                estimate_text(found.refused),
                f"{found.matching:.2e}",
                f"{found.passing_and_matching:.2e}",
            )
        )
    return Sheet(
        f"Odd crops of {len(next(iter(odd.held_out.values())))} other people: refused at the "
        f"door, and pairs of different people at or above {threshold:.3f}",
        ("kind", "refused", "pairs that match without", "pairs that pass and match"),
        tuple(rows),
    )
