"""Networks in two spellings have one identity, and by the digest's rules no others have."""

import random

from nasengine.interpreters.digest import digest
from nasengine.interpreters.features import Features
from nasengine.layers import ConvNorm, ConvNormReLU, Identity, MaxPool, Zero
from nasengine.search_spaces import nasbench101, nasbench201, nasbench_macro
from nasengine.space import Architecture, Node, Space, chain, choose, concat, network, op, reads, repeat, residual
from nasengine.testing.strategies import uneven


def identities(space: Space, *picks: dict[str, tuple[str, ...]]) -> list[bytes]:
    return Features(space).identities([Architecture(one) for one in picks])


def tried(node: Node) -> Space:
    return Space("tried", (3, 8, 8), node)


def test_classes_of_nas_bench_201_are_those_of_the_digest() -> None:
    """5,545 of 15,625 strings, where sums flatten and commute, identities vanish, and zeros drop from sums."""
    space = nasbench201.space()
    assert len(set(Features(space).identities(list(space.enumerate())))) == 5545


def test_classes_of_nas_bench_macro() -> None:
    """3,969 of 6,561: within a stage it does not matter where an identity stands."""
    space = nasbench_macro.space()
    assert len(set(Features(space).identities(list(space.enumerate())))) == 3969


def test_cells_of_nas_bench_101_with_one_published_hash_have_one_identity() -> None:
    space = nasbench101.space()
    drawn = [space.sample(random.Random(seed)) for seed in range(2000)]
    published = [nasbench101.to_string(one) for one in drawn]
    own = Features(space).identities(drawn)
    assert len(set(published)) == len(set(zip(published, own, strict=True))) > 600
    assert len(set(own)) > 0.95 * len(set(published))  # a few cells compute one function with other weights shared


def test_identities_are_equal_where_digests_are() -> None:
    for space in (uneven(), conditional()):
        drawn = list(space.enumerate())[:150]
        digests = [digest(space, one) for one in drawn]
        own = Features(space).identities(drawn)
        assert len(set(digests)) == len(set(own)) == len(set(zip(digests, own, strict=True))) < len(drawn)


def conditional() -> Space:
    """Sizes below options, a kernel that is fixed in one place and picked in another, zeros under pools."""
    pool = op(MaxPool, kernel=choose("window", 1, 3))
    inner = choose("op", conv=op(ConvNorm, width=3, kernel=choose("kernel", 1, 3)), pool=pool, zero=op(Zero))
    fixed = choose("last", a=op(ConvNorm, width=3, kernel=3), b=op(MaxPool, kernel=3), c=op(Identity))
    return tried(chain(residual(inner), repeat(chain(fixed, op(MaxPool)), choose("depth", 1, 2)), first=inner))


def test_a_value_is_what_counts_and_not_where_it_was_picked() -> None:
    space = tried(choose("op", fixed=op(MaxPool, kernel=3), free=op(MaxPool, kernel=choose("kernel", 3, 5))))
    one, two, three = identities(
        space, {"op": ("fixed",)}, {"op": ("free",), "free.kernel": ("3",)}, {"op": ("free",), "free.kernel": ("5",)}
    )
    assert one == two != three


def test_values_may_be_concatenated_in_any_order() -> None:
    edge = choose("op", a=op(ConvNormReLU, width=3), b=op(MaxPool))
    space = tried(network(one=edge, two=reads("input", edge), end=reads("one", "two", concat())))
    a, b, c, d = identities(space, *({"one.op": (x,), "two.op": (y,)} for x in "ab" for y in "ab"))
    assert b == c and len({a, b, d}) == 3


def test_recipes_tell_equal_networks_apart() -> None:
    space = Space("tried", (3, 8, 8), chain(op(Identity)), recipe={"lr": choose("lr", 0.1, 0.2)})
    one, two = identities(space, {"recipe.lr": ("0.1",)}, {"recipe.lr": ("0.2",)})
    assert one != two
