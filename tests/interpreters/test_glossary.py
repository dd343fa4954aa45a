"""What options are, in the words of their layers."""

from torch import nn

from nasengine.interpreters.glossary import explanations
from nasengine.search_spaces import darts
from nasengine.space import Space, chain, choose, op, repeat, residual


class First(nn.Module):
    """The first of two. Its second
    sentence is left out.

    So is this.
    """

    def __init__(self, channels: int, kernel: int = 1, width: int = 4):
        super().__init__()


class Second(nn.Module):
    def __init__(self, channels: int):
        super().__init__()


class Dropped(nn.Module):
    """There in training alone."""

    training_only = True

    def __init__(self, channels: int):
        super().__init__()


def tried(**more):
    inner = choose("inner", deep=op(Second), deeper=op(First))
    outer = choose("outer", both=chain(op(First, kernel=3, width=4), residual(op(Second)), op(Dropped)), other=inner)
    again = choose("outer", both=chain(op(First, kernel=3, width=8), residual(op(Second))), other=inner)
    sizes = op(First, kernel=choose("kernel", 3, 5))
    return Space("tried", (1, 8, 8), chain(a=outer, b=repeat(again, 2), c=sizes), **more)


def test_an_option_is_explained_by_its_layers_and_the_settings_that_it_has_everywhere():
    assert explanations(tried()) == {
        "both": "First(kernel=3): The first of two; then Second",
        "deep": "Second",
        "deeper": "First: The first of two",
    }


def test_options_that_are_not_legal_are_left_out():
    assert set(explanations(tried(allowed={"a.outer": ["other"], "b.0.outer": ["other"], "b.1.outer": ["other"]}))) == {
        "deep",
        "deeper",
    }


def test_layers_that_differ_by_place_are_all_named():
    words = explanations(darts.space(input=(3, 32, 32)))["skip_connect"]
    assert words.startswith("Identity: ") and "; or FactorizedReduce: DARTS' skip at stride 2" in words
    assert "DropPath" not in words
