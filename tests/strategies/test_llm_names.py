"""Neutral names for decisions and options: nothing of a benchmark is left in a prompt, and everything comes back."""

import random
import re

import pydantic_ai.models
import pytest

from nasengine.search.strategy import Told
from nasengine.search_spaces import darts, metaformer, nasbench201
from nasengine.space import Space, chain, choose, op
from nasengine.strategies._llm_names import neutral_names, own_names
from nasengine.strategies._llm_task import form_of
from nasengine.testing.strategies import uneven
from tests.space.random_spaces import Layer
from tests.strategies.talkers import strategy, talker, written

SPACES = {
    "nasbench201": nasbench201.space(input=(1, 8, 8), channels=4, cells=1),
    "darts": darts.space(input=(1, 8, 8), channels=4, layers=3),
    "metaformer": metaformer.space(input=(1, 32, 32)),
    "uneven": uneven(),
}


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setattr(pydantic_ai.models, "ALLOW_MODEL_REQUESTS", False)


def words_of(space):
    """Every name of a space, in all its parts."""
    names = {space.name, *space.decisions, *(o for d in space.decisions.values() for o in d.options)}
    return {part for name in names for part in {name, *name.split(".")} if not part.isdigit()}


@pytest.mark.parametrize("name", ["nasbench201", "uneven"])
def test_the_mapping_is_exact_on_every_architecture(name):
    space = SPACES[name].small(300)
    for seed in range(3):
        names = neutral_names(space, seed)
        hidden = {names.told(one) for one in space.enumerate()}
        assert len(hidden) == space.count() == names.space.count()
        assert hidden == set(names.space.enumerate())
        assert all(names.meant(names.told(one)).picks == one.picks for one in space.enumerate())


@pytest.mark.parametrize("name", SPACES)
def test_neutral_architectures_are_legal_where_theirs_are(name):
    space = SPACES[name]
    names = neutral_names(space, 5)
    for seed in range(20):
        one = names.space.sample(random.Random(seed))
        assert names.told(space.check(names.meant(one).picks)) == one


@pytest.mark.parametrize("name", SPACES)
def test_no_original_name_is_sent(name):
    space = SPACES[name]
    sent = []

    def answer(prompts):
        sent.extend(prompts)
        return "{}" if len(sent) < 3 else '{"q1": ["o9999"]}'

    made = strategy(space, talker(answer), anonymous=True)
    sent += [made.talk.role, str(form_of(made.names.space))]
    for number in range(2):
        made.tell(Told(number, space.sample(random.Random(number)), {}, number / 10 if number else None))
    made.ask(random.Random(0))
    found = set(re.findall(r"[\w.]+", " ".join(sent)))
    assert len(sent) == 5
    assert found & words_of(space) <= {"a"}  # an option of `uneven`, and a word of any text
    assert not {"network", "neural", "architecture", "layer", "conv", "channels"} & found


def test_names_and_order_come_from_the_seed():
    space = SPACES["nasbench201"]
    tables = [neutral_names(space, seed) for seed in (0, 0, 1)]
    assert tables[0].decisions == tables[1].decisions != tables[2].decisions
    assert tables[0].options == tables[1].options != tables[2].options
    assert list(tables[0].space.decisions) == [f"q{i + 1}" for i in range(6)]
    assert [old for old, _ in sorted(tables[0].decisions.items(), key=lambda item: item[1])] != list(space.decisions)


def test_replies_are_translated_back_and_known_ones_recognised():
    space = SPACES["nasbench201"]
    names = neutral_names(space, 7)
    wanted = space.sample(random.Random(1))
    made = strategy(space, talker(lambda prompts: written(names.told(wanted))), anonymous=True, anonymous_seed=7)
    assert made.ask(random.Random(0)) == wanted
    made.tell(Told(0, wanted, {}, 0.5))
    assert made.ask(random.Random(0)) != wanted


def test_a_condition_holds_without_being_told():
    def few(architecture):
        """at most one convolution"""
        return sum(kept == ("conv",) for kept in architecture.picks.values()) <= 1

    steps = {f"step{i}": choose("op", conv=op(Layer), skip=op(Layer, kernel=3)) for i in range(4)}
    space = Space("few", (1, 8, 8), chain(**steps), where=few)
    names = neutral_names(space, 3)
    assert {names.meant(one) for one in names.space.enumerate()} == set(space.enumerate())
    assert len(set(space.enumerate())) == 5
    made = strategy(space, talker(lambda prompts: "{}"), anonymous=True)
    assert "convolution" not in made.rules and "a condition that you are not told" in made.rules


def test_own_names_change_nothing():
    space = uneven().small(300)
    names = own_names(space)
    assert names.space is space
    assert all(names.told(one).picks == names.meant(one).picks == one.picks for one in space.enumerate())
