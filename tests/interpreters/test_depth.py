"""The longest chain of choices with weights in them, in whatever space."""

from nasengine.interpreters.depth import deepest_paths, namespaces
from nasengine.layers import AvgPool, Classifier, ConvNorm, Identity, SeparableConv
from nasengine.search_spaces import darts, nasbench201
from nasengine.space import Space, chain, choose, network, op, reads, repeat, residual, shared
from nasengine.space import add as added


def layers(name: str = "op"):
    return choose(name, skip=op(Identity), conv=op(SeparableConv, kernel=3))


def space(network_) -> Space:
    return Space("made", input=(4, 8, 8), network=network_)


def test_a_darts_cell_is_deepest_from_the_previous_cell_through_every_node():
    """0<-1, 1<-2, 2<-3, 3<-4: the path that PR-DARTS rewards (https://arxiv.org/abs/2006.16537), in both cells."""
    found = deepest_paths(darts.space(channels=4, layers=6))
    chain_ = ("node0.in1.op", "node1.node0.op", "node2.node1.op", "node3.node2.op")
    assert found == {cell: tuple(f"{cell}.{step}" for step in chain_) for cell in ("normal", "reduce")}


def test_a_cell_of_nasbench201_is_three_edges_deep():
    space_ = nasbench201.space()
    (path,) = deepest_paths(space_).values()
    assert len(path) == 3


def test_only_choices_with_weights_deepen_a_path():
    pools = choose("pool", avg=op(AvgPool, kernel=3), skip=op(Identity))
    made = space(chain(layers("a"), pools, layers("b"), op(Classifier, classes=2)))
    assert deepest_paths(made) == {"": ("a", "b")}


def test_a_residual_branch_counts_and_its_bypass_does_not_shorten():
    made = space(chain(residual(layers("a")), residual(layers("b")), op(Classifier, classes=2)))
    assert deepest_paths(made) == {"": ("a", "b")}


def test_repeats_that_decide_for_themselves_deepen_tied_ones_do_not():
    free = space(chain(repeat(layers(), 3), op(Classifier, classes=2)))
    tied = space(chain(repeat(layers(), 3, tie=True), op(Classifier, classes=2)))
    assert deepest_paths(free) == {"": ("0.op", "1.op", "2.op")}
    assert deepest_paths(tied) == {"": ("op",)}


def test_branches_side_by_side_are_as_deep_as_the_deeper():
    left, right = chain(layers("a"), layers("b")), layers("c")
    made = space(network(left=reads("input", left), right=reads("input", right), sum=reads("left", "right", added()),
                         head=op(Classifier, classes=2)))  # fmt: skip
    assert deepest_paths(made) == {"": ("left.a", "left.b")}


def test_a_shared_piece_has_its_own_path_and_namespace_however_often_it_stands():
    piece = shared("block", chain(layers("a"), layers("b")))
    made = space(chain(op(ConvNorm, width=4), piece, layers("outer"), piece, op(Classifier, classes=2)))
    assert deepest_paths(made) == {"": ("outer",), "block": ("block.a", "block.b")}
    assert namespaces(made) == {"block.a": "block", "block.b": "block", "outer": ""}


def test_a_choice_without_competition_is_no_part_of_a_path():
    made = space(chain(choose("only", conv=op(ConvNorm, width=4)), layers("a"), op(Classifier, classes=2)))
    assert deepest_paths(made) == {"": ("a",)}
