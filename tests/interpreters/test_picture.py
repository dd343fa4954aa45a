"""Pictures: read again as XML, every kept operation in them, and looked at by a browser in light and dark."""

import random
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from nasengine import plugins
from nasengine.errors import ExportError
from nasengine.interpreters.cells import cell_figures, cells
from nasengine.interpreters.paint import HUES, INK, fill, line, style
from nasengine.interpreters.picture import draw, has_dot, svg
from nasengine.layers import Classifier, ConvNorm, Identity, MaxPool
from nasengine.search_spaces import darts, metaformer, nasbench101, nasbench201
from nasengine.space import Architecture, Space, add, chain, choose, network, op, reads, repeat
from tests.browser import Tab

CELLS = {"darts": {"normal", "reduce"}, "nasnet": {"normal", "reduce"}, "nasbench101": {"cell"},
         "nasbench201": {"cell"}, "small-cell": {"cell"}}  # fmt: skip
MACRO = ("emo", "fbnet", "iformer", "metaformer", "mnasnet", "mobile", "nasbench-macro", "proxyless", "uninet", "vit")


@pytest.fixture(autouse=True)
def dot(needs: Callable[[str], Path]) -> None:
    needs("dot")


@lru_cache
def published(space: str, name: str) -> tuple[Space, Architecture]:
    known = plugins.published(space, name)
    made = plugins.load_space(space, known.settings)
    return made, made.check(known.picks)


def words(picture: str) -> list[str]:
    """All texts in an SVG."""
    found = ElementTree.fromstring(picture)
    return ["".join(one.itertext()).strip() for one in found.iter() if one.tag.endswith("text")]


def sizes(picture: str) -> tuple[float, float]:
    """Width and height in points."""
    found = ElementTree.fromstring(picture)
    return float(found.attrib["width"].removesuffix("pt")), float(found.attrib["height"].removesuffix("pt"))


def test_darts_is_a_strip_and_each_cell_once() -> None:
    told = words(svg(*published("darts", "PRDARTS")))
    assert [told.count(name) for name in ("normal", "normal ×6", "reduce")] == [1, 3, 3]
    assert {"32×32, 144 channels", "16×16, 288 channels", "8×8, 576 channels", "10 outputs"} <= set(told)
    picks = darts.ARCHITECTURES["PRDARTS"].picks
    kept = [options[0] for name, options in picks.items() if name.endswith(".op")]
    assert sorted(one for one in told if re.match("(sep|dil|avg|max|skip)_", one)) == sorted(kept)
    assert told.count("node3") == told.count("output") == told.count("in0") == 2


def test_a_missing_edge_is_dashed_and_sums_keep_their_names() -> None:
    spelled = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|"
    drawn = svg(nasbench201.space(), nasbench201.from_string(spelled))
    assert {"node1", "node2", "none", "cell ×5"} <= set(words(drawn)) and drawn.count("stroke-dasharray") == 1


def test_operations_on_vertices_are_boxes_and_edges_are_bare() -> None:
    made = nasbench101.from_cell("101111", "02")  # 0-1, 0-3, 1-2, 1-3, 2-3
    told = words(svg(nasbench101.space(), made))
    assert [told.count(name) for name in ("conv3x3", "maxpool3x3", "Truncate", "yes", "ConvNormReLU")] == [
        1,
        1,
        0,
        0,
        0,
    ]


@pytest.mark.parametrize("name", CELLS)
def test_the_cells_of_a_space_are_found(name: str) -> None:
    space = plugins.load_space(name, {})
    assert {one.name for one in cell_figures(space, space.sample(random.Random(1)), cells(space.network))} == CELLS[
        name
    ]


@pytest.mark.parametrize("name", MACRO)
def test_other_spaces_have_no_cells(name: str) -> None:
    assert cells(plugins.load_space(name, {}).network) == {}


def edges() -> Any:
    pick = choose("op", conv=op(ConvNorm, width=8), pool=op(MaxPool), skip=op(Identity))
    return network(a=reads("input", pick), b=reads("input", pick), sum=reads("a", "b", add()))


def test_cells_that_are_not_shared_are_drawn_one_by_one() -> None:
    space = Space("own", (3, 8, 8), chain(stem=op(ConvNorm, width=8), cells=repeat(edges(), 2)))
    picks = {"cells.0.a.op": "conv", "cells.0.b.op": "pool", "cells.1.a.op": "skip", "cells.1.b.op": "pool"}
    told = words(svg(space, Architecture({name: (kept,) for name, kept in picks.items()})))
    assert [told.count(name) for name in ("cells.0", "cells.1", "conv", "pool", "skip")] == [2, 2, 1, 2, 1]
    alone = Space("alone", (8, 8, 8), edges())
    assert {"conv", "pool", "alone"} <= set(words(svg(alone, Architecture({"a.op": ("conv",), "b.op": ("pool",)}))))


def test_a_deep_network_is_a_short_table() -> None:
    space, architecture = published("metaformer", "caformer-b36")
    drawn = svg(space, architecture)
    told = words(drawn)
    assert {"stage1", "stage4", "×3", "×12", "×18", "attention", "star_relu", "norm channel"} <= set(told)
    assert "14×14, 512 channels" in told and told.count("conv") == 2
    assert sizes(drawn)[0] < 800 and sizes(drawn)[1] < 800


def test_blocks_that_differ_stand_side_by_side_and_then_below() -> None:
    space = metaformer.space(depths=(2, 16, 2), depth_factors=(1,))
    architecture = space.sample(random.Random(3))
    drawn = svg(space, architecture)
    told = words(drawn)
    mixers = [kept[0] for name, kept in architecture.picks.items() if name.endswith("mixer.op")]
    assert set(mixers) <= set(told) and len(mixers) == 20
    assert sizes(drawn)[0] < 1000


@pytest.mark.parametrize("name", MACRO)
def test_every_layer_that_was_picked_is_in_the_picture(name: str) -> None:
    space = plugins.load_space(name, {})
    architecture = space.sample(random.Random(7))
    told = " ".join(words(svg(space, architecture)))
    decisions = [(space.decisions[place], options[0]) for place, options in architecture.picks.items()]
    kept = {option for one, option in decisions if not one.of_values and one.kinds[option] != "zero"}
    assert [option for option in kept if not re.search(rf"\b{re.escape(option)}\b", told)] == []


def test_colours_follow_the_page() -> None:
    drawn = svg(*published("metaformer", "caformer-s18"))
    assert drawn.startswith('<svg class="nasengine-picture"') and drawn.rstrip().endswith("</svg>")
    assert " id=" not in drawn and "<!--" not in drawn
    painted = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', drawn))
    assert {INK, fill("conv"), line("attention")} <= painted
    assert [colour for colour in painted if f'"{colour}"' not in style()] == []
    assert all(fill(kind) != line(kind) for kind in HUES)


def test_both_schemes_in_a_browser(open_tab: Callable[..., Tab], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    own = "<div style='--ink: rgb(1, 2, 3); --paper: rgb(250, 240, 230)'>{}</div>"
    drawn = svg(*published("metaformer", "caformer-s18"))
    page.write_text(f"<!doctype html><body>{drawn}{own.format(drawn)}", encoding="utf-8")
    ask = "all => all.map(one => getComputedStyle(one).fill)"
    for dark, ink in ((False, "rgb(31, 35, 40)"), (True, "rgb(230, 237, 243)")):
        tab = open_tab(page.as_uri(), width=420, dark=dark)
        inks = tab.page.eval_on_selector_all(f'text[fill="{INK}"]', ask)
        assert {ink, "rgb(1, 2, 3)"} == set(inks) and tab.errors == []
        boxes = tab.page.eval_on_selector_all(f'path[fill="{fill("conv")}"]', ask)
        assert len(set(boxes)) == 2, "a page's own paper is mixed in"
        width = tab.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 420, "a picture is never wider than its page"


def test_names_with_signs_of_dot_and_html_are_drawn() -> None:
    pick = choose("op", **{'<b> & "q"': op(ConvNorm, width=8), "b": op(MaxPool)})
    space = Space("a <&> name", (3, 8, 8), chain(stem=pick, head=op(Classifier, classes=2)))
    assert '<b> & "q"' in words(svg(space, Architecture({"stem.op": ('<b> & "q"',)})))


def test_files_are_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space, architecture = published("metaformer", "caformer-s18")
    assert has_dot() and draw(space, architecture, tmp_path / "a.svg") == tmp_path / "a.svg"
    with pytest.raises(ExportError, match=r"a\.gif came; a file that ends in \.svg, \.png, \.pdf"):
        draw(space, architecture, tmp_path / "a.gif")
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="name a file in a folder"):
        draw(space, architecture, tmp_path / "file" / "a.svg")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not has_dot()
    with pytest.raises(ExportError, match="apt install graphviz"):
        svg(space, architecture)
    assert {path.name for path in tmp_path.iterdir()} == {"a.svg", "file"}
