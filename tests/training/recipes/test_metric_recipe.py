from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from training.recipes.metric_recipe import METRIC_RECIPES, MetricRecipe, load_metric_recipe
from training.recipes.source_recipe import SourceRecipe

LEAST: dict[str, object] = {"name": "x", "steps": 1, "data": {"sources": [{"kind": "digits"}]}}


@pytest.mark.parametrize("name", sorted(file.stem for file in METRIC_RECIPES.glob("*.toml")))
def test_the_shipped_recipes_are_valid(name: str) -> None:
    assert load_metric_recipe(name).name == name


def test_there_is_a_recipe_for_every_loss_of_the_comparison() -> None:
    names = ("contrastive", "triplet", "batch-hard", "proxy-nca", "arcface")
    recipes = [load_metric_recipe(f"digits-{name}") for name in names]
    plain = [recipe.model_dump(exclude={"name", "loss", "miner"}) for recipe in recipes]
    assert all(rest == plain[0] for rest in plain)
    assert len({(recipe.loss.name, recipe.miner.name) for recipe in recipes}) == len(names)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": 3}, "colour"),
        ({"loss": {"name": "triplet", "scale": 3}}, "scale"),
        ({"loss": {"name": "nothing"}}, "nothing"),
        ({"loss": {"name": "none"}}, "needs a teacher"),
        (
            {
                "loss": {"name": "none"},
                "teacher": {"path": "t.pt"},
                "miner": {"name": "batch-hard"},
            },
            "nothing to choose",
        ),
        ({"miner": {"name": "batch-hard", "margin": 1}}, "margin"),
        (
            {"loss": {"name": "none"}, "teacher": {"path": "t.pt"}, "sampler": {"name": "pairs"}},
            'drawn pairs are for loss "contrastive" or "cosine-contrastive", not "none"',
        ),
        ({"sampler": {"name": "pairs", "pairs": 3}}, "greater than or equal to 4"),
        ({"sampler": {"name": "pairs", "triplets": 8}}, "triplets"),
        ({"data": {"sources": []}}, "sources"),
        (
            {"data": {"sources": [{"kind": "digits"}], "validation": 0.5, "test": 0.5}},
            "nothing to learn from",
        ),
        (
            {"data": {"sources": [{"kind": "folders", "path": "a", "leftovers": "leave_out"}]}},
            'leftovers are of "stem_pairs", not of "folders"',
        ),
        (
            {"data": {"sources": [{"kind": "folders", "path": "a", "pairs": "pairs.txt"}]}},
            'pairs are of "lfw", not of "folders"',
        ),
        (
            {"data": {"sources": [{"kind": "lfw", "path": "a", "pairs": "pairs.txt"}]}},
            "a list of pairs is judged whole",
        ),
        ({"optimiser": {"learning_rate": 0}}, "learning_rate"),
        ({"precision": "fp8"}, "precision"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        MetricRecipe.model_validate(LEAST | changes)


LOSSES = ("contrastive", "cosine-contrastive", "triplet", "proxy-nca", "arcface")
MINERS = ("all", "batch-hard", "semi-hard", "hard", "hard-pairs")
DRAWN = {"pairs": {"contrastive", "cosine-contrastive"}, "triplets": {"triplet"}}


@pytest.mark.parametrize("sampler", DRAWN)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("miner", MINERS)
def test_what_is_drawn_is_for_the_losses_that_compare_it_and_leaves_nothing_to_mine(
    sampler: str, loss: str, miner: str
) -> None:
    parts = {"loss": loss, "miner": miner, "sampler": sampler}
    document = LEAST | {part: {"name": name} for part, name in parts.items()}
    if loss in DRAWN[sampler] and miner == "all":
        assert MetricRecipe.model_validate(document).sampler.name == sampler
        return
    told = "nothing to choose" if loss in DRAWN[sampler] else f'drawn {sampler} are .* not "{loss}"'
    with pytest.raises(ValidationError, match=told):
        MetricRecipe.model_validate(document)


def test_the_siamese_recipes_differ_from_the_comparison_in_what_is_drawn() -> None:
    plain = load_metric_recipe("digits-comparison").model_dump()
    for name, sampler in (("digits-siamese", "pairs"), ("digits-siamese-triplets", "triplets")):
        recipe = load_metric_recipe(name)
        assert recipe.sampler.name == sampler
        differing = {key for key, value in recipe.model_dump().items() if value != plain[key]}
        assert differing <= {"name", "loss", "miner", "sampler"}


def test_another_loss_brings_its_own_settings_and_the_rest_is_extended(tmp_path: Path) -> None:
    first = tmp_path / "first.toml"
    first.write_text(
        'name = "first"\nsteps = 7\n[data]\nsources = [{kind = "digits"}]\ntest = 0.4\n'
        '[loss]\nname = "triplet"\nmargin = 0.7\n[optimiser]\nlearning_rate = 0.5\n'
    )
    other = tmp_path / "other.toml"
    other.write_text(
        f'extends = "{first}"\nname = "other"\n[loss]\nname = "arcface"\n'
        "[optimiser]\nmomentum = 0.5\n"
    )
    same = tmp_path / "same.toml"
    same.write_text(f'extends = "{first}"\nname = "same"\n[loss]\nsoft = true\n')
    recipe = load_metric_recipe(str(other))
    assert recipe.steps == 7
    assert recipe.data.test == 0.4
    assert recipe.loss.model_dump() == {
        "name": "arcface",
        "margin_degrees": 28.6,
        "scale": 64.0,
        "learning_rate_factor": 10.0,
    }
    assert (recipe.optimiser.learning_rate, recipe.optimiser.momentum) == (0.5, 0.5)
    kept = load_metric_recipe(str(same)).loss.model_dump()
    assert (kept["margin"], kept["soft"]) == (0.7, True)


def test_a_key_that_says_what_was_done_before_it_existed_leaves_a_saved_run_the_same() -> None:
    def dumped(**changes: object) -> dict[str, object]:
        return SourceRecipe.model_validate(
            {"kind": "stem_pairs", "path": "a", **changes}
        ).model_dump(mode="json")

    assert (
        dumped() == dumped(leftovers="raise") == {"kind": "stem_pairs", "path": "a", "only": None}
    )
    told = dumped(leftovers="leave_out")
    assert told["leftovers"] == "leave_out"
    assert SourceRecipe.model_validate(told).leftovers == "leave_out"


def test_an_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(FileNotFoundError, match=r"known: .*digits"):
        load_metric_recipe("nothing")
