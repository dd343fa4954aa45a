"""Dotted flags: taken out of a command line, and every wrong one named."""

import pytest

from nasengine.console.words import arguments, data_words, split
from nasengine.errors import NasError


def test_dotted_flags_are_taken_out_and_the_rest_stays_as_it_was() -> None:
    words = ["search", "--space.channels", "8", "--seed", "3", "--space.pool-norm", "--recipe.betas=0.9,0.99"]
    plain, groups = split([*words, "--space.drop_path", "--json", "--strategy.hottest", "-1.5"])
    assert plain == ["search", "--seed", "3", "--json"]
    assert groups == {
        "space": {"channels": "8", "pool_norm": "true", "drop_path": "true"},
        "recipe": {"betas": "0.9,0.99"},
        "strategy": {"hottest": "-1.5"},
    }


def test_a_value_may_hold_anything() -> None:
    assert split(["--space.text=a=b\nc", "--recipe.lr="])[1] == {"space": {"text": "a=b\nc"}, "recipe": {"lr": ""}}
    assert split(["--", "--space.channels", "8"]) == (["--", "--space.channels", "8"], {})


def test_every_wrong_group_and_repetition_is_named_at_once() -> None:
    with pytest.raises(NasError) as caught:
        split(["--spase.a", "1", "--recipe.lr", "1", "--recipe.lr", "2"])
    assert "--spase.a came" in str(caught.value) and 'Did you mean "space"?' in str(caught.value)
    assert "--recipe.lr came twice" in str(caught.value)


def test_a_command_takes_the_groups_that_it_names() -> None:
    groups = {"space": {"channels": "8"}}
    assert arguments("count", groups, ["space_settings", "line"]) == {"space_settings": {"channels": "8"}}
    with pytest.raises(NasError, match=r"results: --space.channels came; this command takes no dotted flags"):
        arguments("results", groups, [])
    with pytest.raises(NasError, match=r"this command takes --space.… and --recipe.…"):
        arguments("train", {"supernet": {"lr": "1"}}, ["space_settings", "recipe_values"])


@pytest.mark.parametrize(
    "words, expected",
    [
        (["search", "--data", "pictures", "--seed", "1"], ["search", "--data", "pictures?size=64", "--seed", "1"]),
        (["train", "--data=pictures?label=x"], ["train", "--data=pictures?label=x&size=64"]),
        (["data", "pictures", "--json"], ["data", "pictures?size=64", "--json"]),
    ],
)
def test_options_of_the_data_set_join_its_name(words: list[str], expected: list[str]) -> None:
    assert data_words(words, {"size": "64"}) == expected


def test_options_of_no_data_set_are_refused() -> None:
    with pytest.raises(NasError, match=r"--data\.size came, and no data set; name it too: --data NAME"):
        data_words(["search", "--seed", "1"], {"size": "64"})
