"""A whole build in small form: invented crops, the smallest network, a few steps."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from tests.training.evaluation.made_people import write_evaluation_data
from tests.training.made_data import picture, write_tar, write_tiny_data
from training.data.face_alignment import cut_face, service_detector
from training.data.invented_people import invented_people
from training.export.build import Build
from training.recipes.build_recipe import BuildRecipe, load_build_recipe

PEOPLE = 24
STUDENT = """
name = "small"
batch_size = 8
steps = 50
resolution = [{ until = 1.0, pixels = 48 }]
sources = [{ name = "people", paths = ["people"], labelled = true, share = 1.0 }]
teachers = [{ name = "one", path = "one.pt", input_size = 64, channels = "rgb" }]

[student]
widths = [8, 8, 8, 8]
blocks = [1, 1, 1, 1]
embedding_dim = 12
"""
BUILD = """
name = "made"

[distill]
recipe = "{student}"
steps = 3

[calibrate]
identify_rate = 1e-3
verify_rate = 1e-2
teacher_similarity = 1.0
centroid_photos = [2]
burst_frames = []
burst_strangers = 4

[recognisability]
centres = 4
enrollment_share = 0.02
verification_share = 0.01
fitted_people = 4
held_out_people = 4
served_people = 1
"""


def write_build_data(root: Path) -> Path:
    """Write all that a small build reads."""
    write_evaluation_data(write_tiny_data(root))
    for people in ("lfw", "val"):
        _make_alike(root / people)
    for number in range(2):
        shown = {f"fairface/{n}.png": picture(500 * number + n) for n in range(PEOPLE)}
        shown["fairface/0.png"] = _face(number)  # the one that the service's detector is shown
        write_tar(root / f"fairface-{number}.tar", shown)
    rows = [f"fairface/{n}.png,{'female' if n % 2 else 'male'},north,20-29" for n in range(PEOPLE)]
    (root / "fairface.csv").write_text("file,gender,group,age\n" + "\n".join(rows) + "\n")
    write_tar(root / "masks.tar", {f"masks/{n}.png": picture(2000 + n) for n in range(4)})
    return root


def _face(number: int) -> bytes:
    """Return the face of somebody who does not exist, cut out and encoded."""
    photo = cv2.imread(str(invented_people()[number].photos[0]))
    assert photo is not None
    rgb = np.ascontiguousarray(photo[:, :, ::-1].astype(np.uint8))
    done, encoded = cv2.imencode(".png", cut_face(rgb, 128, service_detector())[:, :, ::-1])
    assert done
    return encoded.tobytes()


def _make_alike(people: Path) -> None:
    """Give the photos of each person one look of their own, and noise."""
    for person, folder in enumerate(sorted(people.iterdir())):
        look = np.random.default_rng([person, len(people.name)]).integers(30, 225, (8, 8, 3))
        for shot, file in enumerate(sorted(folder.iterdir())):
            noise = np.random.default_rng([person, shot]).integers(-25, 26, look.shape)
            assert cv2.imwrite(str(file), (look + noise).astype(np.uint8))


def write_recipes(folder: Path) -> Path:
    """Write the recipe of the build and that of its student; return the build's."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.toml").write_text(STUDENT)
    path = folder / "made.toml"
    path.write_text(BUILD.format(student=(folder / "small.toml").as_posix()))
    return path


def made_build(
    folder: Path,
    data: Path,
    said: list[str],
    recipe: BuildRecipe | None = None,
    *,
    version: str = "0.1.0",
    run: str = "run",
    cache: str = "cache",
    checkpoint: Path | None = None,
    model: Path | None = None,
    force: bool = False,
) -> Build:
    """Return a small build below ``folder`` that tells ``said`` what it does."""
    return Build(
        recipe=recipe or load_build_recipe(str(write_recipes(folder / "recipes"))),
        version=version,
        data=data,
        run=folder / run,
        models=folder / "models",
        device=torch.device("cpu"),
        tell=said.append,
        checkpoint=checkpoint,
        model=model,
        force=force,
        cache=folder / cache,
    )
