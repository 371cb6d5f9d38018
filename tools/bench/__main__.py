"""``python -m tools.bench``: run the benchmarks, print tables, keep JSON and a picture."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from rich.console import Console
from threadpoolctl import threadpool_limits

from app.domain.model_manifest import ModelManifest
from app.settings import Settings
from tools.bench.galleries import SIZES, measure_galleries
from tools.bench.load import measure_service
from tools.bench.machine import describe_machine
from tools.bench.result import BenchResult, draw, sheets_of
from tools.bench.stages import measure_stages
from training.data.invented_people import invented_people
from training.foundation.sheets import print_sheets


def main() -> None:
    """Measure everything; ``--rounds`` is how often each action is timed."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--others", type=int, default=10_000, help="enrolled in the service")
    parser.add_argument("--max-people", type=int, default=SIZES[-1])
    parser.add_argument("--out", type=Path, default=Path("runs/bench"))
    chosen = parser.parse_args()
    threadpool_limits(1, user_api="blas")  # as in the service; threads that wait spin
    people = invented_people()
    manifest_file = Settings().model_dir / "manifest.json"
    manifest = ModelManifest.from_json(json.loads(manifest_file.read_text(encoding="utf-8")))
    machine = describe_machine()
    with tempfile.TemporaryDirectory(prefix="facegate-bench-") as name:
        stages = measure_stages(people[0], Path(name), chosen.rounds)
        service = measure_service(
            people, Path(name) / "service", chosen.rounds, others=chosen.others
        )
    sizes = [size for size in SIZES if size <= chosen.max_people]
    galleries = measure_galleries(manifest, sizes, max(5, chosen.rounds // 4))
    result = BenchResult(machine=machine, stages=stages, service=service, galleries=galleries)
    print_sheets(sheets_of(result), Console(width=None if Console().is_terminal else 120))
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "bench.json").write_text(result.model_dump_json(indent=1) + "\n")
    print(f"{machine.cpu}, {machine.cpus} CPUs, {' '.join(machine.features)}")
    print(f"decoding and detecting over the yardstick: {stages.ratio_to_yardstick:.2f}")
    print(f"one verify over HTTP over its stages: {result.ratio_to_stages:.2f}")
    print(f"written: {chosen.out / 'bench.json'}, {draw(result, chosen.out / 'bench.png')}")


if __name__ == "__main__":
    main()
