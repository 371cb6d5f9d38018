"""Ask a question of a model; print the tables, and fail (1) where a bar is not kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.domain.challenges import MOTION_LIMITS
from training.cli.conclusion import conclude
from training.cli.lazy import add_lazily
from training.cli.options import DEFAULT_DATA, DataOption, DeviceOption, ServedModelOption
from training.evaluation.served import newest_model
from training.studies import (
    hubness,
    interpolation,
    joining,
    near_faces,
    rebuilt,
    whole_photos,
)
from training.studies.burst import study as burst
from training.studies.enrollment import study as enrollment
from training.studies.liveness import study as liveness
from training.studies.odd_pictures import study as odd_pictures
from training.studies.odd_pictures.trial import GALLERIES
from training.studies.planted_audit import study as planted_audit
from training.studies.proof import study as proof
from training.studies.proof.pictures import draw_probabilities
from training.studies.quality_limits import study as quality_limits
from training.studies.repeated_photos import study as repeated_photos

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

OutOption = Annotated[
    Path | None, typer.Option(help="Markdown to write; the record is written as JSON beside it.")
]


@app.callback()
def main() -> None:
    """Ask a question of a model; print the tables, and fail (1) where a bar is not kept."""


@app.command("proof")
def prove(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: Annotated[Path, typer.Option(help="Markdown to write.")] = Path("runs/prove/proof.md"),
    recipe: Annotated[str, typer.Option(help="Whose teachers find people twice.")] = "all",
    device: DeviceOption = None,
) -> None:
    """Count strangers taken for somebody, and compare probabilities with the truth."""
    record = proof.run(data, model or newest_model(), recipe=recipe, device=device)
    typer.echo("\n".join(proof.remarks(record)))
    out.parent.mkdir(parents=True, exist_ok=True)
    picture = draw_probabilities(record.probabilities, out.with_name("reliability.png"))
    typer.echo(f"picture: {picture.path}")
    conclude(record, proof.tables(record), out, proof.faults(record))


@app.command("enrollment")
def enroll(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: OutOption = None,
    device: DeviceOption = None,
) -> None:
    """Compare the ways from several photos to one person, and measure the enrollment guards.

    Fails (1) where new people are surely asked about more often than the guard allows.
    """
    record = enrollment.run(data, model or newest_model(), device=device, tell=typer.echo)
    conclude(record, enrollment.tables(record), out, enrollment.faults(record))


@app.command("quality-limits")
def limit_quality(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: OutOption = None,
    device: DeviceOption = None,
    only_groups: Annotated[
        bool, typer.Option("--only-groups", help="Only who the limits refuse, not what they gain.")
    ] = False,
) -> None:
    """Count who each quality limit refuses, by group, and what is gained: the error beyond it.

    Fails (1) where a limit surely refuses some group more than 1.5 times as often as another.
    """
    record = quality_limits.run(
        data, model or newest_model(), device=device, only_groups=only_groups, tell=typer.echo
    )
    conclude(record, quality_limits.tables(record), out, quality_limits.faults(record))


@app.command("repeated-photos")
def repeat_photos(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: OutOption = None,
    web_photos: Annotated[
        int, typer.Option(help="How many photos of the data to encode anew, beside the invented.")
    ] = 60,
) -> None:
    """Measure whether a photo sent again is known, and whether another one is taken for it.

    Fails (1) where too few are known again, or too many photos of one person are as alike.
    """
    record = repeated_photos.run(data, model or newest_model(), web_photos=web_photos)
    conclude(record, repeated_photos.tables(record), out, repeated_photos.faults(record))


@app.command("burst")
def take_bursts(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: OutOption = None,
    strangers: Annotated[int, typer.Option(min=100, help="Strangers to simulate.")] = 1_500,
    device: DeviceOption = None,
) -> None:
    """Measure bursts of 1, 3 and 5 frames: misses, calibration, refusals.

    Fails (1) where strangers' bursts surely pass more often than the stated risk.
    """
    record = burst.run(data, model or newest_model(), strangers=strangers, device=device)
    conclude(record, burst.tables(record), out, burst.faults(record))


@app.command("planted-audit")
def audit_planted(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: OutOption = None,
    twice: Annotated[int, typer.Option(help="People under two ids.")] = 150,
    swapped: Annotated[int, typer.Option(help="Photos under a wrong id.")] = 100,
    twins: Annotated[int, typer.Option(min=2, help="Look-alikes by blended pictures.")] = 50,
) -> None:
    """Plant duplicates, swapped photos and twins among the people of LFW and audit the gallery.

    Fails (1) where a plant that can be found was not.
    """
    record = planted_audit.run(
        data, model or newest_model(), twice=twice, swapped=swapped, twins=twins
    )
    conclude(record, planted_audit.tables(record), out, planted_audit.faults(record))


@app.command("odd-pictures")
def show_odd_pictures(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    people: Annotated[int, typer.Option(min=4, help="People of odd pictures, of each kind.")] = 60,
    kinds: Annotated[
        str | None, typer.Option(help="Parts of kinds' names, told apart by commas; all without.")
    ] = None,
    gallery: Annotated[
        list[int] | None,
        typer.Option(min=10, help="People enrolled at a door; may be repeated. 100 and 300."),
    ] = None,
    invented: Annotated[
        bool, typer.Option("--invented", help="A quick look at people who do not exist.")
    ] = False,
    out: OutOption = Path("runs/prove/odd-pictures.md"),
) -> None:
    """Show odd pictures to the service: what is refused, and do strangers match by what is not.

    Fails (1) where the share of pairs of odd pictures that pass and match surely exceeds the stated
    FMR, in any kind, or the strangers found at a gallery with 1 % odd enrollments the stated FPIR;
    and where what is taken of tilted or turned pictures is not its own person.
    """
    record = odd_pictures.run(
        data,
        model or newest_model(),
        people=people,
        kinds=kinds,
        galleries=gallery or GALLERIES,
        invented=invented,
        tell=typer.echo,
    )
    conclude(record, odd_pictures.tables(record), out, odd_pictures.faults(record))


@app.command("liveness")
def challenge(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: OutOption = None,
    photos: Annotated[
        Path, typer.Option(help="Folder of photos on which the landmarks' scatter is measured.")
    ] = liveness.PHOTOS,
    bursts: Annotated[int, typer.Option(min=100, help="Bursts of each kind.")] = 1_000,
    nose_depth: Annotated[
        float, typer.Option(min=0.0, help="Try another least depth of the nose, in face heights.")
    ] = MOTION_LIMITS.nose_depth,
) -> None:
    """Measure APCER and BPCER of the challenge: made heads, pictures of them, real photos."""
    record = liveness.run(
        data, model or newest_model(), photos=photos, bursts=bursts, nose_depth=nose_depth
    )
    conclude(record, liveness.tables(record), out)


@app.command("near-faces")
def look_at_near_faces(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: OutOption = None,
    photos: Annotated[int, typer.Option(min=1, help="How many of each source.")] = (
        near_faces.PHOTOS
    ),
) -> None:
    """Compare the door's look at a reduced picture with the search of the whole one."""
    record = near_faces.run(data, model or newest_model(), photos=photos)
    conclude(record, near_faces.tables(record), out)


@app.command("whole-photos")
def look_at_whole_photos(
    model: ServedModelOption = None, data: DataOption = DEFAULT_DATA, out: OutOption = None
) -> None:
    """Run LFW photos through the service's own vision code and compare with ready crops."""
    record = whole_photos.run(data, model or newest_model())
    conclude(record, whole_photos.tables(record), out)


@app.command("hubness")
def lean_away(
    model: ServedModelOption = None, data: DataOption = DEFAULT_DATA, out: OutOption = None
) -> None:
    """Try other corrections of hubs behind a joint model: strength, offset, nearest centres."""
    record = hubness.run(data, model or newest_model())
    conclude(record, hubness.tables(record), out)


@app.command("joining")
def join_otherwise(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: OutOption = None,
    every: Annotated[
        int, typer.Option(min=1, help="Fit on one training picture in so many: quicker, rougher.")
    ] = 1,
) -> None:
    """Try other ways to join a model's two networks: share, head, crowds; one thing at a time."""
    record = joining.run(data, model or newest_model(), every=every, tell=typer.echo)
    conclude(record, joining.tables(record), out)


@app.command("interpolation")
def interpolate(
    checkpoint: Annotated[Path, typer.Option(help="A run's checkpoint.pt, at its end.")],
    data: DataOption = DEFAULT_DATA,
    out: OutOption = None,
) -> None:
    """Try shares of the way from a run's published start to its end, on people of no run."""
    record = interpolation.run(data, checkpoint)
    conclude(record, interpolation.tables(record), out)


@app.command("rebuilt")
def compare_rebuilt(
    other: Annotated[Path, typer.Option(help="The folder of the model that was built again.")],
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: OutOption = None,
) -> None:
    """Compare a model with one built again: weights, code, embeddings, thresholds, figures."""
    record = rebuilt.run(data, model or newest_model(), other=other)
    conclude(record, rebuilt.tables(record), out)


add_lazily(app, "losses", "training.cli.losses:compare")
