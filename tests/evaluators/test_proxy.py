"""Training-free scores as an evaluator: values by name, errors as answers."""

import dataclasses
import json
import random
from typing import Any

import pytest
import torch

from nasengine import plugins
from nasengine.evaluators import proxy
from nasengine.interpreters.cost import cost
from nasengine.job import Job, Result
from nasengine.proxies.options import PROXIES, proxy_options, value_name
from nasengine.search_spaces import nasbench201
from nasengine.space import Architecture, Space
from nasengine.training import data

SETTINGS = {"input": (1, 8, 8), "channels": 2, "cells": 1}
SMALL = {"batch": 8, "repeats": 2, "reference": 3}
LARGEST = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
DEAD = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"


@pytest.fixture(scope="module")
def space() -> Space:
    return plugins.load_space("nasbench201", SETTINGS)


@pytest.fixture(scope="module")
def dataset() -> data.Dataset:
    return data.load("digits", limit=60)


def job(name: str, architecture: Architecture, seed: int = 0, **options: Any) -> Job:
    given = {**{key: value for key, value in SMALL.items() if key in PROXIES.get(name, {})}, **options}
    fidelity = {"limit": 60, "proxy": {"name": name, **given}}
    return Job(3, "nasbench201", SETTINGS, architecture.to_json(), "proxy", {}, "digits", fidelity, seed)


@pytest.mark.parametrize("name", PROXIES)
def test_every_proxy_gives_a_finite_value_of_its_name(name: str, space: Space, dataset: data.Dataset) -> None:
    architecture = space.sample(random.Random(1))
    result = proxy.evaluate(job(name, architecture), space, dataset)
    assert result.error is None
    assert next(iter(result.values)) == value_name(name)
    assert (result.params, result.macs) == dataclasses.astuple(cost(space, architecture))
    assert result.seconds is not None
    assert Result.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))).values == result.values


@pytest.mark.parametrize("name", ["snip", "zen", "az-nas"])
def test_a_score_is_by_the_jobs_seed_alone(name: str, space: Space, dataset: data.Dataset) -> None:
    architecture = space.sample(random.Random(1))
    state = torch.get_rng_state()
    first, again, other = (proxy.evaluate(job(name, architecture, seed), space, dataset).values for seed in (0, 0, 1))
    assert first == again != other
    assert torch.equal(torch.get_rng_state(), state)


def test_az_nas_ranks_among_random_networks(space: Space, dataset: data.Dataset) -> None:
    best = nasbench201.from_string(LARGEST)
    values = proxy.evaluate(job("az-nas", best, reference=5), space, dataset).values
    assert list(values) == ["az_nas", "expressivity", "progressivity", "trainability", "complexity"]
    assert (
        values["az_nas"]
        > proxy.evaluate(job("az-nas", nasbench201.from_string(DEAD), reference=5), space).values["az_nas"]
    )
    assert values["complexity"] == cost(space, best).macs


def test_minus_infinity_is_the_lowest_value_where_it_is_a_score(space: Space, dataset: data.Dataset) -> None:
    dead = nasbench201.from_string(DEAD)
    for name in ("synflow", "zen"):
        result = proxy.evaluate(job(name, dead), space, dataset)
        assert (result.error, result.values) == (None, {name: proxy.LOWEST})


def test_a_score_that_is_no_number_is_an_error(space: Space, dataset: data.Dataset) -> None:
    result = proxy.evaluate(job("jacob-cov", nasbench201.from_string(DEAD)), space, dataset)
    assert result.values == {}
    assert result.error is not None and result.error.startswith("proxy jacob-cov: jacob_cov is nan; a finite number")
    assert result.params is not None


def test_what_is_wrong_with_the_proxy_is_an_error(space: Space, dataset: data.Dataset) -> None:
    architecture = space.sample(random.Random(1))
    unknown = proxy.evaluate(job("naswott", architecture), space, dataset)
    assert unknown.error is not None and unknown.error.endswith('Did you mean "naswot"?')
    large = proxy.evaluate(job("zico", architecture, batch=40), space, dataset)
    assert large.error is not None and "2 batches of 40 images came; the data has 45 training images" in large.error


def test_the_batch_is_of_training_images_alone(space: Space, dataset: data.Dataset) -> None:
    blind = {part: dataclasses.replace(getattr(dataset, part), images=torch.full((1,), torch.nan)) for part in
             ("validation", "test")}  # fmt: skip
    result = proxy.evaluate(job("snip", space.sample(random.Random(1))), space, dataclasses.replace(dataset, **blind))
    assert result.error is None


def test_plans_ask_the_evaluator_for_the_options() -> None:
    assert proxy.proxy_options is proxy_options
