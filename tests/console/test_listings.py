"""Lists of spaces and strategies, and the settings that one takes."""

from tests.console.typed import good


def test_lists_of_spaces_and_strategies() -> None:
    assert "nasbench201" in good("spaces").out
    assert {row["name"] for row in good("spaces", "--json").json} >= {"darts", "metaformer", "nasbench201"}
    assert {row["name"] for row in good("strategies", "--json").json} >= {"darts", "pr-darts", "random-search"}
    assert "--strategy.variant" in good("strategies", "pr-darts").out
    options = {setting["name"]: setting for setting in good("strategies", "pr-darts", "--json").json["settings"]}
    assert options["variant"].keys() == {"name", "type", "default", "required", "text"}
    assert good("describe", "--strategy", "pr-darts").out == good("strategies", "pr-darts").out
