"""FNAS' knowledge pool (Liu et al., 2021, https://arxiv.org/abs/2105.11694): where a new block starts from."""

import random
from pathlib import Path

import pytest
import torch

from nasengine.interpreters.blocks import Block, blocks
from nasengine.search.strategy import Told
from nasengine.search_spaces import metaformer
from nasengine.strategies._reinforce_pool import Pool
from nasengine.strategies.reinforce import Reinforce

SPACE = metaformer.space(input=(1, 16, 16))


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "weights.safetensors"
    path.touch()
    return str(path)


def test_an_identical_block_is_found_with_similarity_one(file: str) -> None:
    pool, rng = Pool(SPACE), random.Random(0)
    trained = [SPACE.sample(rng) for _ in range(4)]
    for number, one in enumerate(trained):
        assert pool.add(one, file, 0.1 * number)
    for block in blocks(SPACE, trained[-1]):
        similarity, source = pool.nearest(block)
        assert similarity == pytest.approx(1, abs=1e-12)
        assert source == (file, block.place)


def test_every_block_of_any_child_finds_one(file: str) -> None:
    pool, child = Pool(SPACE), SPACE.sample(random.Random(1))
    assert pool.inherit(child) == {}
    pool.add(SPACE.sample(random.Random(0)), file, 0.5)
    sources = pool.inherit(child)
    assert list(sources) == [block.place for block in blocks(SPACE, child)]
    assert all(source[0] == file for source in sources.values())


def test_the_nearest_block_has_the_same_layer_and_then_the_nearest_settings(file: str) -> None:
    pool = Pool(SPACE)
    pool.columns = {"layer a": 0, "layer b": 1, "kernel": 2, "width out": 3}
    for place, kernel in (("small", 0.2), ("large", 0.3)):
        pool.held[("layer a", 1.0), ("kernel", kernel), ("width out", 0.6)] = (0.5, (file, place))
    pool.held[("layer b", 1.0), ("kernel", 0.28), ("width out", 0.6)] = (0.5, (file, "other"))
    wanted = Block("new", {"layer a": 1.0, "kernel": 0.28, "width out": 0.6, "never seen": 0.2})
    similarity, (_, place) = pool.nearest(wanted)
    assert place == "large" and 0.9 < similarity < 1


def test_of_equal_blocks_the_one_of_the_better_candidate_is_kept(tmp_path: Path) -> None:
    pool, one = Pool(SPACE), SPACE.sample(random.Random(0))
    for name, value in (("good", 0.9), ("bad", 0.2)):
        (tmp_path / name).touch()
        pool.add(one, str(tmp_path / name), value)
    assert {file for file, _ in pool.inherit(one).values()} == {str(tmp_path / "good")}


def test_the_strategy_names_sources_only_with_a_pool_and_files_that_are_there(file: str, tmp_path: Path) -> None:
    one, other = SPACE.sample(random.Random(0)), SPACE.sample(random.Random(1))
    without, having = Reinforce(SPACE), Reinforce(SPACE, pool=True)
    for strategy in (without, having):
        strategy.tell(Told(0, one, {}, 0.5, weights=file))
        strategy.tell(Told(1, other, {}, None, "it failed", weights=None))
    assert without.inherit(other) == {} and len(having.inherit(other)) == len(blocks(SPACE, other))
    having.tell(Told(2, other, {}, 0.6, weights=str(tmp_path / "gone")))
    assert [remark.kind for remark in having.remarks()] == ["warning"]
    assert {path for path, _ in having.inherit(other).values()} == {file}


def test_the_pool_does_not_change_what_is_proposed(file: str) -> None:
    asked = []
    for pool in (False, True):
        strategy = Reinforce(SPACE, pool=pool)
        for number in range(12):
            one = SPACE.sample(random.Random(number))
            strategy.tell(Told(number, one, {}, random.Random(number).random(), weights=file))
        asked.append(strategy.ask(random.Random(7)))
        torch.manual_seed(0)
    assert asked[0] == asked[1]
