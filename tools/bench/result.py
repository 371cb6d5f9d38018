"""What a run of the benchmarks found, as JSON, tables and a picture."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from tools.bench.galleries import GalleryCost
from tools.bench.load import Service
from tools.bench.machine import Machine
from tools.bench.stages import YARDSTICK, Stages
from training.foundation.sheets import Sheet
from training.report.canvas import BLUE, ORANGE, new_figure


class BenchResult(BaseModel):
    """One run on one machine."""

    machine: Machine
    stages: Stages
    service: Service
    galleries: list[GalleryCost]

    @property
    def ratio_to_stages(self) -> float:
        """One verify over HTTP over the sum of its stages, by the clock."""
        return self.service.alone_ms / self.stages.sum_ms


def sheets_of(result: BenchResult) -> list[Sheet]:
    """Return tables of the stages, the pictures, the service and the galleries."""
    pictures = tuple(
        (name, f"{cost.wall_ms:.1f}", f"{cost.cpu_ms:.1f}")
        for name, cost in result.stages.pictures.items()
    )
    return [
        _stage_sheet(result),
        Sheet("Decoding and detecting by picture", ("picture", "ms", "CPU ms"), pictures),
        _load_sheet(result.service),
        _process_sheet(result.service),
        _gallery_sheet(result.galleries),
    ]


def _stage_sheet(result: BenchResult) -> Sheet:
    stages, service = result.stages, result.service
    rows = [
        (name, f"{cost.wall_ms:.2f}", f"{cost.cpu_ms:.2f}", f"{cost.wall_ms / stages.sum_ms:.0%}")
        for name, cost in stages.stages.items()
    ]
    alone = (f"{service.alone_ms:.2f}", f"{service.alone_cpu_ms:.2f}")
    yardstick = (f"{stages.yardstick.wall_ms:.2f}", f"{stages.yardstick.cpu_ms:.2f}")
    rows += [
        ("sum of the stages", f"{stages.sum_ms:.2f}", "", "100%"),
        ("one verify over HTTP", *alone, f"{result.ratio_to_stages:.0%}"),
        ("an empty exchange", f"{service.empty_exchange_ms:.2f}", "", ""),
        (YARDSTICK, *yardstick, ""),
    ]
    title = f"Stages, embedded by {stages.runtime}"
    return Sheet(title, ("stage", "ms", "CPU ms", "share"), tuple(rows))


def _load_sheet(service: Service) -> Sheet:
    head = ("clients", "a second", "median ms", "95 % within ms", "CPU ms each")
    rows = tuple(
        (
            str(load.clients),
            f"{load.per_second:.1f}",
            f"{load.median_ms:.0f}",
            f"{load.p95_ms:.0f}",
            f"{load.cpu_ms:.1f}",
        )
        for load in service.loads
    )
    return Sheet("Load", head, rows)


def _process_sheet(service: Service) -> Sheet:
    head = ("first start s", "start s", "resident MiB", "after the load MiB")
    row = (
        f"{service.first_start_seconds:.1f}",
        f"{service.start_seconds:.1f}",
        f"{service.resident_mib:.0f}",
        f"{service.resident_after_mib:.0f}",
    )
    return Sheet("The process", head, (row,))


def _gallery_sheet(galleries: list[GalleryCost]) -> Sheet:
    head = ("people", "search ms", "decision ms", "a change ms", "build s", "MiB", "recall")
    rows = tuple(
        (
            f"{cost.people:,}",
            f"{cost.search_ms:.2f}",
            f"{cost.decision_ms:.2f}",
            f"{cost.change_ms:.2f}",
            f"{cost.build_seconds:.1f}",
            f"{cost.memory_mib:.0f}",
            f"{cost.recall:.3f}",
        )
        for cost in galleries
    )
    return Sheet("People enrolled", head, rows)


def draw(result: BenchResult, path: Path) -> Path:
    """Draw waiting against load, and a query's cost against the people enrolled."""
    figure = new_figure(9, 3.6)
    left, right = figure.subplots(1, 2)
    loads = result.service.loads
    rates = [load.per_second for load in loads]
    left.plot(rates, [load.median_ms for load in loads], "o-", color=BLUE, label="median")
    left.plot(rates, [load.p95_ms for load in loads], "s--", color=ORANGE, label="95 % within")
    for load in loads:
        left.annotate(
            f"{load.clients}",
            (load.per_second, load.median_ms),
            textcoords="offset points",
            xytext=(5, -11),
            fontsize=8,
        )
    left.set(
        xlabel="verifications a second (numbers: clients)",
        ylabel="milliseconds",
        title="Waiting against load",
        ylim=(0, None),
    )
    left.legend(frameon=False)
    people = [cost.people for cost in result.galleries]
    totals = [cost.search_ms + cost.decision_ms for cost in result.galleries]
    right.loglog(people, totals, "o-", color=BLUE, label="search and decision")
    right.loglog(
        people, [cost.search_ms for cost in result.galleries], "s--", color=ORANGE, label="search"
    )
    right.set(xlabel="people enrolled", ylabel="CPU ms a query", title="Cost against the gallery")
    right.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return path
