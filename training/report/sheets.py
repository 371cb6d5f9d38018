"""An evaluation as tables of text, for a terminal or for a report."""

from __future__ import annotations

from training.evaluation.table_results import (
    OpenSetEvaluation,
    SourceFigures,
    TableEvaluation,
    TableFacts,
)
from training.foundation.sheets import Sheet
from training.metrics.estimates import Estimate, estimate_text
from training.metrics.identification import IdentifiedQuery
from training.metrics.listed_pairs import ListedPairResults
from training.metrics.separation import collapse_warning
from training.metrics.view2_table import VERIFICATION_HEAD, view2_rows

Row = tuple[str, ...]

FIGURE_HEAD = ("figure", "value [95 %]", "of")


def table_evaluation_sheets(evaluation: TableEvaluation) -> list[Sheet]:
    """Return the tables of an evaluation, in the order in which to read them."""
    return [
        _retrieval(evaluation),
        _decisions(evaluation),
        _all_pairs(evaluation),
        *([_by_source(evaluation.by_source)] if evaluation.by_source else []),
        *([_open_set(evaluation.open_set)] if evaluation.open_set else []),
        *_identities(evaluation),
        *([_calibration(evaluation)] if evaluation.calibration else []),
        _data(evaluation),
    ]


def key_figures(evaluation: TableEvaluation) -> list[tuple[str, str]]:
    """Return the few figures that tell one model from another: name and value."""
    figures = [
        ("R@1", evaluation.retrieval.recall_at[0].recall.value),
        ("MAP@R", evaluation.retrieval.map_at_r.value),
        ("accuracy, drawn pairs", evaluation.decisions.accuracy.value),
    ]
    for name, found in (("AUC", evaluation.all_pairs.auc), ("EER", evaluation.all_pairs.eer)):
        figures += [] if found is None else [(f"{name}, all pairs", found.value)]
    figures += [
        (f"TAR @ FAR {point.far:g}", point.tar.value)
        for point in evaluation.all_pairs.tar_at_far[-1:]
    ]
    figures += [
        (f"FNIR @ FPIR {point.fpir:.0%}, {one.result.photos_enrolled} enrolled", point.fnir.value)
        for one in evaluation.open_set[-1:]
        for point in one.result.points[-1:]
    ]
    return [(name, f"{value:.4f}") for name, value in figures]


def table_evaluation_notes(evaluation: TableEvaluation) -> list[str]:
    """Return what a reader has to know before the figures, a sentence or two each."""
    notes = []
    if evaluation.spread is not None and evaluation.spread.collapsed:
        notes.append(f"This network has {collapse_warning(evaluation.spread)}.")
    notes += [
        f"Of the {facts.images:,} images of {name} {facts.judged:,} are judged: fewer of each "
        f"identity, then fewer identities, drawn with the seed {evaluation.seed}."
        for name, facts in (("validation", evaluation.validation), ("test", evaluation.test))
        if facts.judged < facts.images
    ]
    rule = evaluation.open_set[-1].rule if evaluation.open_set else None
    if rule is not None and rule.fpir < rule.supported_fpir:
        notes.append(
            f"The stated risk of {rule.fpir:.1%} is more than validation can promise: its "
            f"{rule.outsider_identities:,} outsiders speak for {rule.supported_fpir:.1%} at best "
            "(rule of three). Verdicts keep the threshold; what it comes to is measured below."
        )
    return notes


def sheet_of_listed(found: ListedPairResults) -> Sheet:
    """Return the figures of pairs that a data set lists; raises ``ValueError`` for none."""
    if found.figures is None:
        raise ValueError(f"{found.name} was not judged")
    rows = tuple(view2_rows(found.name, found.figures))
    return Sheet("Verification, listed pairs", VERIFICATION_HEAD, rows)


def note_of_listed(found: ListedPairResults) -> str:
    """Return what became of the pairs that a data set lists."""
    kept = f"{found.listed - found.left_out:,} of {found.listed:,} listed pairs have both images"
    if found.figures is None:
        return f"{found.name}: {kept}: too few to choose thresholds by folds, so none is judged."
    return f"{found.name}: {kept} and are judged, each fold at the threshold of the others."


def _retrieval(evaluation: TableEvaluation) -> Sheet:
    found = evaluation.retrieval
    of = f"{found.queries:,} queries of {found.identities:,} identities in {found.gallery:,} images"
    rows: list[Row] = [
        (f"R@{point.k}", estimate_text(point.recall), of) for point in found.recall_at
    ]
    rows.append(("mAP@10", estimate_text(found.map_at_10), of))
    rows.append(("MAP@R", estimate_text(found.map_at_r), of))
    return Sheet("Retrieval, leave one out", FIGURE_HEAD, tuple(rows))


def _decisions(evaluation: TableEvaluation) -> Sheet:
    found = evaluation.decisions
    of = f"{found.same_pairs:,} + {found.different_pairs:,} pairs"
    rows = (
        ("accuracy", estimate_text(found.accuracy), of),
        ("precision", estimate_text(found.precision), of),
        ("recall", estimate_text(found.recall), of),
        ("F1", estimate_text(found.f1), of),
    )
    title = (
        "Same or different, drawn pairs, half of one identity, at the threshold "
        f"{found.threshold:.4f} that validation chose"
    )
    return Sheet(title, FIGURE_HEAD, rows)


def _all_pairs(evaluation: TableEvaluation) -> Sheet:
    found = evaluation.all_pairs
    of = f"{found.same_pairs:,} + {found.different_pairs:,} pairs"
    rows: list[Row] = [
        (name, estimate_text(value, digits), "", of)
        for name, value, digits in (("AUC", found.auc, 5), ("EER", found.eer, 4))
        if value is not None
    ]
    rows += [
        (f"TAR @ FAR {point.far:g}", estimate_text(point.tar), f"{point.threshold:.4f}", of)
        for point in found.tar_at_far
    ]
    head = ("figure", "value [95 %]", "threshold", "of")
    return Sheet("Verification, all pairs of the test images", head, tuple(rows))


def _by_source(found: tuple[SourceFigures, ...]) -> Sheet:
    def text(estimate: Estimate | None) -> str:
        return "none" if estimate is None else estimate_text(estimate)

    rows = tuple(
        (
            one.source,
            text(one.recall_at_1),
            text(one.map_at_10),
            text(one.map_at_r),
            text(one.auc),
            text(one.eer),
            f"{one.images:,} images of {one.identities:,} identities, {one.queries:,} queries",
        )
        for one in found
    )
    head = ("data set", "R@1", "mAP@10", "MAP@R", "AUC", "EER", "of")
    title = "By data set: its queries among the images of all; AUC and EER of all its own pairs"
    return Sheet(title, head, rows)


def _identities(evaluation: TableEvaluation) -> list[Sheet]:
    """Return the answers to single queries by identity, the known and the unknown ones."""
    rule = evaluation.open_set[-1].rule if evaluation.open_set else None
    risk = "no verdict, for validation has too few identities"
    if rule is not None:
        risk = f"known at {rule.threshold:.4f} or above, FPIR {rule.fpir:.1%} on validation"
    sheets = []
    for kind, queries in (
        ("known", evaluation.known_identities),
        ("unknown", evaluation.unknown_identities),
    ):
        if queries:
            count = max(len(query.hits) for query in queries)
            numbered = [str(place) for place in range(1, count + 1)]
            head = ("query", "shows", "verdict", "nobody", *numbered)
            rows = tuple(_identified(query, count) for query in queries)
            title = f"Top identities of {kind} queries: similarity, probability ({risk})"
            sheets.append(Sheet(title, head, rows))
    return sheets


def _identified(query: IdentifiedQuery, count: int) -> Row:
    hits = [
        f"{hit.label}\n{hit.similarity:.3f}, {probability_text(hit.probability)}"
        for hit in query.hits
    ]
    hits += [""] * (count - len(hits))
    nobody = probability_text(query.nobody)
    return (query.key, query.label or "unknown", query.verdict or "none", nobody, *hits)


def probability_text(probability: float | None) -> str:
    """Return a probability in percent; never 0 or 100 %, which nothing measured supports."""
    if probability is None:
        return "no probability"
    if probability < 0.001:
        return "<0.1 %"
    return ">99.9 %" if probability > 0.999 else f"{100 * probability:.1f} %"


def _open_set(evaluated: tuple[OpenSetEvaluation, ...]) -> Sheet:
    rows: list[Row] = []
    for one in evaluated:
        result = one.result
        images = str(result.photos_enrolled)
        of = (
            f"{result.gallery_people:,} enrolled, {result.probes:,} probes, "
            f"{result.impostors:,} of outsiders"
        )
        rows.append((images, "rank-1", estimate_text(result.rank1), "", of))
        rows += [
            (
                images,
                f"FNIR @ FPIR {point.fpir:.0%}",
                estimate_text(point.fnir),
                f"{point.threshold:.4f}",
                of,
            )
            for point in result.points
        ]
        if one.at_threshold is not None:
            chosen = one.at_threshold
            limit = f"{chosen.threshold:.4f}"
            source = f"validation's FPIR {chosen.target:.0%}"
            rows.append((images, f"FPIR at {source}", estimate_text(chosen.fpir), limit, of))
            rows.append((images, f"FNIR at {source}", estimate_text(chosen.fnir), limit, of))
    head = ("images enrolled", "figure", "value [95 %]", "threshold", "of")
    return Sheet("Open-set identification", head, tuple(rows))


def _calibration(evaluation: TableEvaluation) -> Sheet:
    found = evaluation.calibration
    if found is None:
        raise ValueError("this evaluation has no calibration")
    of = f"{found.pairs:,} pairs"
    rows = (
        ("ECE, equally wide bins", estimate_text(found.ece), of),
        ("ECE, equally full bins", estimate_text(found.ece_equal_mass), of),
        ("Brier score", estimate_text(found.brier), of),
        ("log-loss (nats)", estimate_text(found.log_loss), of),
        ("Cllr (bits)", f"{found.cllr:.4f}", of),
    )
    title = f"Calibration: logit = {found.slope:.3f} s {found.intercept:+.3f}, fitted on validation"
    return Sheet(title, FIGURE_HEAD, rows)


def _data(evaluation: TableEvaluation) -> Sheet:
    def row(name: str, facts: TableFacts) -> Row:
        numbers = (facts.images, facts.judged, facts.identities, facts.with_one_image)
        return (name, *(f"{number:,}" for number in (*numbers, facts.unlabelled)))

    head = ("table", "images", "judged", "identities", "with one image", "unlabelled")
    title = "Data: identities of validation and test are kept apart"
    if evaluation.shared_identities:
        title = f"Data: validation and test share {evaluation.shared_identities:,} identities"
    rows = (row("validation", evaluation.validation), row("test", evaluation.test))
    return Sheet(title, head, rows)
