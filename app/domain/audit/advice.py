"""What to do about a gallery, in words."""

from __future__ import annotations

from app.domain.audit.result import AuditRate, AuditResult
from app.domain.intervals import Rate

NOTE_ON_FNMR = (
    "The refusals are measured between enrolled photos. Photos of one occasion agree better than "
    "those of a door on another day, so expect more refusals there."
)
NOTE_ON_INTERVALS = (
    "The intervals take trials for independent. Photos of one person are not, so that true "
    "intervals are wider; the rate by people counts each person once."
)


def rate_text(rate: Rate) -> str:
    """Return a rate in words: share, counts, interval, and what no error rules out."""
    text = (
        f"{_percent(rate.rate)} ({rate.errors:,} of {rate.trials:,}; "
        f"95 %: {_percent(rate.low)} to {_percent(rate.high)})"
    )
    if rate.rule_of_three is not None:
        text += f"; none seen, by the rule of three below {_percent(rate.rule_of_three)}"
    return text


def advise(result: AuditResult) -> tuple[str, ...]:
    """Return what to do, the most urgent first; a gallery without findings is told so."""
    rates = {rate.name: rate for rate in result.rates}
    said = [
        *_on_ids(result),
        *_on_photos(result),
        *_on_rates(rates["fpir_photos"], rates["fnmr_identify"]),
    ]
    if not said:
        said = ["Nothing was found that needs a hand."]
    if rates["fnmr_verify"].measured is None:
        said.append("Nobody has two photos, so that refusals cannot be measured. Enrol a second.")
    else:
        said.append(NOTE_ON_FNMR)
    return (*said, NOTE_ON_INTERVALS)


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
            f"{_many(result.confusable_count, 'pair')} of people can be taken for one another: "
            "enrol more photos of both, and ask these people for a card besides the face."
        )
    return said


def _on_photos(result: AuditResult) -> list[str]:
    said = []
    if result.outlier_count:
        said.append(
            f"{_many(result.outlier_count, 'photo')} do not look like the person whose id they "
            "carry: compare with the person, delete what is wrong and enrol it again under the "
            "right id. Where a person has two photos only, either may be the wrong one."
        )
    single = sum(1 for one in result.weak_enrollments if one.photo_count == 1)
    if result.weak_count:
        said.append(
            f"{_many(result.weak_count, 'enrolment')} are weak, {single} of those listed for want "
            "of a second photo: take two or three sharp, bright, frontal photos at the place of "
            "the door."
        )
    return said


def _on_rates(fpir: AuditRate, fnmr: AuditRate) -> list[str]:
    said = []
    if fpir.measured is not None and fpir.measured.low > 0.01:
        said.append(
            "More than one stranger in a hundred would be taken for somebody, beyond doubt "
            f"({rate_text(fpir.measured)}): raise the threshold, for example to a rarer "
            "false-positive rate, after the duplicates are cleared."
        )
    if fnmr.measured is not None and fnmr.measured.low > 0.1:
        said.append(
            "More than one own photo in ten does not reach the threshold, beyond doubt "
            f"({rate_text(fnmr.measured)}): enrol more and better photos of each person."
        )
    return said


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}" + ("" if count == 1 else "s")


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
