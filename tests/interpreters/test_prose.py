"""A space in words, and replies in words: round trips, and every fault named at once."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasengine.errors import SpaceError
from nasengine.interpreters import prose
from nasengine.search_spaces import darts
from nasengine.space import Architecture, Space, chain, choose, op, repeat
from tests.space.random_spaces import PROPERTY, Layer, Pool, spaces

RANDOMS = st.randoms(use_true_random=False)


def space(**more: Any) -> Space:
    mixer = choose("mixer", conv=op(Layer, kernel=choose("kernel", 3, 5)), pool=op(Pool))
    body = repeat(chain(mixer, op(Layer, rate=choose("rate", 0.1, 2.0, None))), choose("depth", 1, 2), tie=True)
    return Space("tried", (3, 8, 8), chain(a=body, b=choose("extra", keep=(0, 2), x=op(Layer), y=op(Pool))), **more)


LEGAL = {"a.depth": ["2"], "a.mixer": ["conv"], "a.conv.kernel": ["5"], "a.rate": ["0.1"], "b.extra": []}
EXPECTED = Architecture.from_json(LEGAL)


def test_the_words_say_all_that_is_needed() -> None:
    words = prose.describe(space())
    assert "Space tried: networks for inputs of 3 channels of 8 by 8." in words
    assert "\n- a.mixer: 1 of conv, pool\n" in words
    assert "\n- a.conv.kernel: 1 of 3, 5; asked when a.mixer keeps conv\n" in words
    assert "\n- b.extra: 0 to 2 of x (conv), y (pool)\n" in words


def test_conditions_are_in_the_words() -> None:
    def deep(architecture: Architecture) -> bool:
        """a is repeated"""
        return architecture.picks["a.depth"] == ("2",)

    assert "Legal only under this condition: a is repeated." in prose.describe(space(where=deep))
    assert "a is repeated" in prose.schema(space(where=deep))["description"]
    with pytest.raises(SpaceError, match="break the condition of the space: a is repeated"):
        prose.read(space(where=deep), json.dumps({**LEGAL, "a.depth": ["1"]}))


@PROPERTY
@given(spaces(), RANDOMS)
def test_the_example_in_the_words_is_a_legal_reply(space: Space, rng: random.Random) -> None:
    words = prose.describe(space)
    assert space.check(prose.read(space, words).picks)
    assert all(f"- {name}: " in words for name in space.decisions)


@PROPERTY
@given(spaces(), RANDOMS)
def test_replies_come_back_as_they_were(space: Space, rng: random.Random) -> None:
    architecture = space.sample(rng)
    assert prose.read(space, json.dumps(architecture.to_json())) == architecture
    assert prose.read(space, architecture.to_json()) == architecture


@PROPERTY
@given(spaces(condition=False), RANDOMS)
def test_the_schema_takes_what_is_legal_and_nothing_else(space: Space, rng: random.Random) -> None:
    validator = pytest.importorskip("jsonschema").Draft202012Validator(prose.schema(space))
    legal = space.sample(rng).to_json()
    assert validator.is_valid(legal)
    name = rng.choice(list(space.decisions))
    broken = {**legal, name: [*legal.get(name, []), "nonsense"]}
    dropped = {other: kept for other, kept in legal.items() if other != name}
    # other picks of one decision change what is asked: legal or not, schema and space agree
    changed = {**legal, name: list(space.decisions[name].draw(rng))}
    for picks in (broken, dropped, changed):
        assert validator.is_valid(picks) == (not space.faults({n: tuple(kept) for n, kept in picks.items()}))
    assert not validator.is_valid(broken)


def test_the_schema_is_a_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(prose.schema(darts.space()))
    json.dumps(prose.schema(darts.space()))


TEXTS = {
    "alone": json.dumps(LEGAL),
    "a fence": f"Here is my choice:\n```json\n{json.dumps(LEGAL, indent=2)}\n```\nIt is deep.",
    "text around": f"I weighed {{depth}} against width. {json.dumps(LEGAL)} Good luck!",
    "wrapped": json.dumps({"thoughts": {"why": "because"}, "architecture": LEGAL}),
    "the last of two": json.dumps({**LEGAL, "a.depth": ["1"]}) + " no, rather " + json.dumps(LEGAL),
    "single options": json.dumps({**{name: kept[0] for name, kept in LEGAL.items() if kept}, "b.extra": []}),
    "numbers": json.dumps({**LEGAL, "a.depth": 2.0, "a.conv.kernel": [5], "a.rate": 0.1}),
}


@pytest.mark.parametrize("text", TEXTS)
def test_replies_are_found_in_any_dress(text: str) -> None:
    assert prose.read(space(), TEXTS[text]) == EXPECTED


def test_values_stand_for_their_names() -> None:
    for value, name in ((2.0, "2.0"), (None, "None"), ("None", "None"), (0.1, "0.1")):
        assert prose.read(space(), {**LEGAL, "a.rate": value}).picks["a.rate"] == (name,)


def test_every_fault_is_named_at_once() -> None:
    reply = (
        '{"a.depth": ["2"], "a.depth": ["3"], "a.mixer": ["pol"], "a.conv.kernel": [3], "b.extra": ["x", "x"], "c": 1}'
    )
    with pytest.raises(SpaceError) as caught:
        prose.read(space(), reply)
    words = str(caught.value)
    for fault in (
        "reply for space tried: ",
        "a.depth is answered twice",
        "a.depth: '3' is no option; the options are 1, 2",
        "a.mixer: 'pol' is no option; the options are conv, pool. Did you mean \"pool\"?",
        "a.rate is missing; give 1 of 0.1, 2.0, None",
        "b.extra: ['x', 'x'] names an option twice; give 0 to 2 different ones of x, y",
        "a.conv.kernel is not asked with the other picks; leave it out",
        "c is no decision of space tried",
    ):
        assert fault in words


def test_what_is_no_option_at_all_is_a_fault_and_no_crash() -> None:
    for value in ({"conv": 1}, [["conv"]], [{"conv": 1}], True, 7, [None]):
        with pytest.raises(SpaceError, match="a.mixer: .* is no option; the options are conv, pool"):
            prose.read(space(), {**LEGAL, "a.mixer": value})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I cannot decide.", "it holds no JSON object .there is none.; give one like"),
        ('{"a.depth": ["2"], }', "it holds no JSON object .*line 1, column"),
        ("", "it holds no JSON object"),
    ],
)
def test_a_reply_without_json_is_told_so(text: str, words: str) -> None:
    with pytest.raises(SpaceError, match=words):
        prose.read(space(), text)


def test_null_is_for_what_is_not_asked() -> None:
    reply = {**LEGAL, "a.mixer": ["pool"], "a.conv.kernel": None}
    assert prose.read(space(), reply).picks["a.mixer"] == ("pool",)
    with pytest.raises(SpaceError, match="a.conv.kernel is missing"):
        prose.read(space(), {**LEGAL, "a.conv.kernel": None})
    assert prose.read(space(), {**LEGAL, "a.rate": None}).picks["a.rate"] == ("None",)


def test_wishes_are_what_a_faulty_reply_wants() -> None:
    wishes = prose.wishes(space(), 'I say {"a.mixer": ["conv", "none"], "a.depth": 2, "odd": []}')
    assert wishes == {"a.mixer": ("conv", "none"), "a.depth": ("2",), "odd": ()}
    assert space().follow(wishes, random.Random(0)).picks["a.depth"] == ("2",)
    with pytest.raises(SpaceError, match="no JSON object"):
        prose.wishes(space(), "I cannot help with that.")


@pytest.mark.parametrize("text", ['{"a.depth": ' * 5000, '{"a.depth": ' + "9" * 5000 + "}", "{" * 20_000])
def test_replies_that_break_parsers_are_faults_like_others(text: str) -> None:
    with pytest.raises(SpaceError, match="no JSON object"):
        prose.read(space(), text)
    assert prose.read(space(), text + json.dumps(LEGAL)) == EXPECTED


def test_questions_stand_without_a_heading() -> None:
    assert prose.describe(space()).endswith(prose.questions(space()))
    assert "tried" not in prose.questions(space()) and "8 by 8" not in prose.questions(space())
