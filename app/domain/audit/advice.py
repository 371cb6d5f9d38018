"""What to do about a gallery, in words."""

from __future__ import annotations

from app.domain.audit.alike import MAX_PAIRS
from app.domain.audit.result import AuditRate, AuditResult, AuditThresholds
from app.domain.intervals import Rate
from app.domain.policy import PromiseFor

NOTE_ON_FNMR = (
    "The refusals are measured between enrolled photos. Photos of one occasion agree better than "
    "those of a door on another day, so expect more refusals there."
)
NOTE_ON_INTERVALS = (
    "The intervals take trials for independent. Photos of one person are not, so that true "
    "intervals are wider; the rate by people counts each person once."
)


PROMISED_TO = {
    PromiseFor.WORST_GROUP: "the worst group of strangers, and so to every other",
    PromiseFor.MIXED: "strangers of all groups mixed, and not to a staff of one group",
}


def rate_text(rate: Rate) -> str:
    """Return a rate in words: share, counts, interval, and what no error rules out."""
    text = (
        f"{percent(rate.rate)} ({rate.errors:,} of {rate.trials:,}; "
        f"95 %: {percent(rate.low)} to {percent(rate.high)})"
    )
    if rate.rule_of_three is not None:
        text += f"; none seen, by the rule of three below {percent(rate.rule_of_three)}"
    return text


def percent(share: float) -> str:
    """Return a share, 0 to 1, in percent to three figures."""
    return f"{100 * share:.3g} %"


def advise(result: AuditResult) -> tuple[str, ...]:
    """Return what to do, the most urgent first; without findings one line says so."""
    rates = {rate.name: rate for rate in result.rates}
    said = [
        *_on_unrecognisable(result),
        *_on_ids(result),
        *_on_photos(result),
        *_on_rates(rates["fpir_photos"], rates["fnmr_identify"], result.thresholds),
    ]
    if not said:
        said = ["Nothing was found that needs a hand."]
    said += _on_the_promise(rates, result.thresholds)
    if rates["fnmr_verify"].measured is None:
        said.append("Nobody has two photos, so that refusals cannot be measured. Enroll a second.")
    else:
        said.append(NOTE_ON_FNMR)
    return (*said, NOTE_ON_INTERVALS)


def _on_unrecognisable(result: AuditResult) -> list[str]:
    if not result.unrecognisable_count:
        return []
    return [
        f"{_many(result.unrecognisable_count, 'photo')} match any unrecognisable face (upside "
        "down, blurred beyond reading, no face at all) and are not compared with anybody: delete "
        "each and enroll a better one. They are in none of the rates above."
    ]


def _on_ids(result: AuditResult) -> list[str]:
    said = []
    if result.possible_duplicate_count:
        said.append(
            f"{_many(result.possible_duplicate_count, 'pair')} of ids may be one person each: look "
            "at both records and delete one of them. Until then their photos count as false "
            "matches in the rates above."
        )
    if result.confusable_count:
        said.append(
            f"{_many(result.confusable_count, 'pair')} of people can be taken for one another: see "
            "that they are two, enroll more photos of both, and ask these people for a card "
            "besides the face."
        )
    if result.pairs_cut:
        said.append(
            f"More than {MAX_PAIRS:,} pairs of ids are alike, and only the most alike of them "
            "were compared: the numbers of pairs are too low. Look whether one person, or one "
            "photo, was enrolled many times, and audit again."
        )
    return said


def _on_photos(result: AuditResult) -> list[str]:
    said = []
    if result.outlier_count:
        said.append(
            f"{_many(result.outlier_count, 'photo')} do not look like the person whose id they "
            "carry: compare with the person, delete what is wrong and enroll it again under the "
            "right id. Where a person has two photos only, either may be the wrong one."
        )
    single = sum(1 for one in result.weak_enrollments if one.photo_count == 1)
    if result.weak_count:
        said.append(
            f"{_many(result.weak_count, 'enrollment')} are weak, {single} of those listed for want "
            "of a second photo: take two or three sharp, well lit, frontal photos at the place of "
            "the door."
        )
    return said


def _on_the_promise(rates: dict[str, AuditRate], thresholds: AuditThresholds) -> list[str]:
    """Return what the gallery itself meets of what is promised, each of its people a stranger."""
    promised_to = PROMISED_TO[thresholds.promise_for]
    kinds = [
        ("Strangers taken for somebody (1:N)", "fpir_photos", thresholds.stated_fpir),
        ("False claims accepted (1:1)", "fmr_verify", thresholds.stated_fmr),
    ]
    met = [
        f"{what}: {rate_text(measured)}, where {percent(stated)} is stated"
        for what, name, stated in kinds
        if stated is not None and (measured := rates[name].measured) is not None
    ]
    if not met:
        return []
    return [
        f"What this gallery itself meets, with each of its people as a stranger to the others. "
        f"{'. '.join(met)}. What is stated is promised to {promised_to}; relatives among the "
        "enrolled are more alike than strangers are."
    ]


def _on_rates(fpir: AuditRate, fnmr: AuditRate, thresholds: AuditThresholds) -> list[str]:
    said = []
    if fpir.measured is not None and fpir.measured.low > thresholds.stated_fpir:
        instead = (
            "promise it to the worst group (FACEGATE_PROMISE_FOR=worst-group)"
            if thresholds.promise_for is PromiseFor.MIXED
            else "state a rarer FACEGATE_TARGET_FPIR or a FACEGATE_MIN_SIMILARITY"
        )
        said.append(
            f"More strangers than the stated {percent(thresholds.stated_fpir)} would be taken for "
            f"somebody, beyond doubt ({rate_text(fpir.measured)}): clear the duplicates and audit "
            f"again; where it stays so, {instead}."
        )
    if fnmr.measured is not None and fnmr.measured.low > 0.1:
        said.append(
            "More than one own photo in ten does not reach the threshold, beyond doubt "
            f"({rate_text(fnmr.measured)}): enroll more and better photos of each person."
        )
    return said


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}" + ("" if count == 1 else "s")
