"""Budgets of a language model: they stop it, they end the search, and they hold over resumes."""

import random

import pydantic_ai.models
import pytest
from pydantic_ai import ModelResponse, TextPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.usage import RequestUsage

from nasengine.errors import NasError
from nasengine.search.strategy import Remark
from nasengine.search_spaces import nasbench201
from nasengine.strategies import _llm_conversation
from nasengine.strategies._llm_budget import Budget
from nasengine.testing.strategies import search, table
from tests.strategies.talkers import saying, sensible, strategy, written

PRICES = {"dollars_per_million_input": 10.0, "dollars_per_million_output": 100.0}


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setattr(pydantic_ai.models, "ALLOW_MODEL_REQUESTS", False)
    monkeypatch.setattr(_llm_conversation, "PAUSES", (0.0, 0.0))


def counted(prompt, reply):
    """A model that says what it was used, and answers with nonsense."""
    usage = RequestUsage(input_tokens=prompt, output_tokens=reply)
    return FunctionModel(lambda messages, info: ModelResponse([TextPart("no")], usage=usage))


def run(made, trials=100):
    """Search until the strategy has no more to propose; its results, and what it said."""
    results = search(made, lambda one: 0.5, trials)
    return results, made.remarks()


def test_calls_are_counted_and_end_the_search():
    made = strategy(table(), sensible(table()), max_calls=7, known="picks")
    results, said = run(made)
    assert len(results) == 7 and sum(one.kind == "reply" for one in said) == 7
    (warning,) = [one for one in said if one.kind == "warning"]
    assert "the budget for the language model is spent, so the search ends: 7 of 7 calls are spent" in warning.text
    assert [made.ask(random.Random(seed)) for seed in range(5)] == [None] * 5
    assert made.remarks() == []


def test_failed_and_repeated_calls_count():
    made = strategy(table(), saying(RuntimeError("boom")), max_calls=4)
    results, said = run(made)
    assert sum(one.kind == "failure" for one in said) == 4
    assert len(results) == 1  # the second proposal was begun, but nothing of it was paid for in vain
    twice = strategy(table(), saying("no"), max_calls=3)
    results, said = run(twice)
    assert sum(one.kind == "reply" for one in said) == 3
    assert len(results) == 2  # what has been paid for is used


@pytest.mark.parametrize(
    ("options", "limit"),
    [({"max_tokens": 20_000}, ("tokens", 20_000)), ({"max_dollars": 0.5, **PRICES}, ("dollars", 0.5))],
)
def test_tokens_and_money_are_never_overdrawn(options, limit):
    made = strategy(table(), counted(900, 300), max_reply=300, **options)
    results, said = run(made)
    name, most = limit
    spent = sum(one.values[name] for one in said if one.kind == "reply")
    assert most * 0.8 < spent <= most
    assert len(results) > 3 and any(f"of {most:g} {name} are spent" in one.text for one in said)


def test_money_is_tokens_times_prices():
    made = strategy(table(), counted(1000, 200), **PRICES)
    made.ask(random.Random(0))
    assert made.remarks()[1].values["dollars"] == pytest.approx(1000 * 10e-6 + 200 * 100e-6)


def test_a_budget_too_small_for_one_call_ends_at_once():
    results, said = run(strategy(table(), counted(10, 10), max_tokens=100))
    assert results == [] and [one.kind for one in said] == ["warning"]


def test_a_reply_that_is_cut_off_is_said():
    cut = FunctionModel(lambda messages, info: ModelResponse([TextPart('{"step0')], finish_reason="length"))
    made = strategy(table(), cut, max_reply=50)
    made.ask(random.Random(0))
    assert "cut off at 50 tokens; raise --strategy.max_reply" in made.remarks()[2].text


def test_what_an_earlier_run_spent_counts():
    space = nasbench201.space(input=(1, 8, 8), channels=4, cells=1)
    model = saying(*(written(space.sample(random.Random(seed))) for seed in range(9)))
    first = strategy(space, model, max_calls=5)
    results = search(first, lambda one: 0.5, 3)
    again = strategy(space, model, max_calls=5)
    again.recall([Remark("note", "of something else", {"calls": 9.0}), *first.remarks()])
    results = search(again, lambda one: 0.5, 50, told=results)
    assert len(results) == 5
    assert again.talk.budget.spent["calls"] == 5


def test_a_limit_on_money_needs_prices():
    with pytest.raises(NasError, match="prices of this model are not known; give --strategy.dollars_per_million_input"):
        strategy(table(), saying("x"), max_dollars=1.0)
    with pytest.raises(NasError, match="give both"):
        strategy(table(), saying("x"), dollars_per_million_input=1.0)


def test_every_limit_that_is_reached_is_named():
    budget = Budget(max_calls=2, max_tokens=1000, max_dollars=0.0155, prices=(1.0, 10.0))
    assert budget.refusal(800, 500) == ""
    budget.spend(400, 500)
    assert budget.refusal(800, 500) == "900 of 1000 tokens are spent, and the next call may take 900"
    budget.spend(0, 500)
    assert [part.split(" are ")[0] for part in budget.refusal(800, 500).split("; ")] == [
        "2 of 2 calls",
        "1400 of 1000 tokens",
        "0.0104 of 0.0155 dollars",
    ]
