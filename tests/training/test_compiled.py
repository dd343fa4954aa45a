import logging

import pytest
import torch
from torch import nn

from nasengine.training.compiled import compiled, pays
from nasengine.training.data import Split
from nasengine.training.fit import fit
from nasengine.training.recipe import Recipe


def test_only_what_lasts_for_hours_is_compiled_by_itself() -> None:
    auto = Recipe(epochs=101, compile="auto")
    assert pays(auto, [{"seconds": 60.0}])
    assert pays(auto, [{"seconds": 60.0}, {"seconds": 1.0}]), "the first epoch decides, also on going on"
    assert not pays(auto, [{"seconds": 20.0}])
    assert not pays(auto, [])
    assert not pays(Recipe(epochs=101, compile="auto", drop_path=0.1), [{"seconds": 60.0}])
    assert not pays(Recipe(epochs=101), [{"seconds": 1e6}])
    assert pays(Recipe(compile="always"), [])


def test_the_default_leaves_recipes_recorded_as_they_were() -> None:
    assert "compile" not in Recipe().to_json()
    assert Recipe.from_json(Recipe(compile="auto").to_json()).compile == "auto"


def trained(recipe: Recipe) -> torch.Tensor:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 3))
    images = torch.randn(20, 1, 4, 4)
    fit(model, Split(images, torch.arange(20) % 3), recipe)
    return nn.utils.parameters_to_vector(model.parameters()).detach()


def test_whole_batches_run_compiled_to_the_same_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def compile(forward, **options):  # what torch's own does, without the wait
        assert options["options"]["fallback_random"]
        return lambda images: (sizes.append(len(images)), forward(images))[1]

    monkeypatch.setattr(torch, "compile", compile)
    recipe = Recipe(epochs=2, batch=8, compile="always")
    weights = trained(recipe)
    assert sizes == [8, 8, 8, 8], "the last four images of an epoch are no whole batch"
    assert torch.equal(weights, trained(Recipe(epochs=2, batch=8)))


def test_where_compiling_fails_it_goes_on_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def compile(forward, **options):
        def fail(images):
            raise RuntimeError("no compiler found\nin a long traceback")

        return fail

    plain = trained(Recipe(epochs=2, batch=8))
    monkeypatch.setattr(torch, "compile", compile)
    with caplog.at_level(logging.WARNING, "nasengine.training"):
        assert torch.equal(trained(Recipe(epochs=2, batch=8, compile="always")), plain)
    assert [record.getMessage() for record in caplog.records] == [
        "training: not compiled, no compiler found; it goes on as it was"
    ]


def test_memory_that_ran_out_is_not_taken_for_a_failure_to_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    def compile(forward, **options):
        def fail(images):
            raise torch.OutOfMemoryError("out of memory")

        return fail

    monkeypatch.setattr(torch, "compile", compile)
    with pytest.raises(torch.OutOfMemoryError):
        compiled(lambda images: images)(torch.zeros(1))
