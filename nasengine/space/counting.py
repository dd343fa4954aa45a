"""How many architectures a table of decisions holds: closed form where it is a tree, enumeration where ties are."""

from collections.abc import Iterator, Mapping, Sequence
from math import prod

from nasengine.space.decisions import Decision

Table = Mapping[str, Decision]
ENUMERABLE = 10_000_000


def count(table: Table) -> int:
    """The exact number of architectures, before any `where`.

    Raises OverflowError when ties leave more than 10^7 cases to enumerate.
    """
    return prod(_component(part) for part in _components(table))


def _parents(decision: Decision) -> set[str]:
    return {name for alternative in decision.when for name, _ in alternative}


def _components(table: Table) -> list[dict[str, Decision]]:
    """Decisions grouped by who depends on whom; groups do not influence each other."""
    group = {name: {name} for name in table}
    for name, decision in table.items():
        for parent in _parents(decision):
            if group[parent] is not group[name]:
                group[parent] |= group[name]
                for member in group[name]:
                    group[member] = group[parent]
    unique = {id(members): members for members in group.values()}
    return [{name: table[name] for name in table if name in members} for members in unique.values()]


def _component(table: Table) -> int:
    """A group's number: enumerate the ancestors of tied decisions, and multiply by the trees that hang below them."""
    core: set[str] = set()
    waiting = [n for n, d in table.items() if len(d.when) > 1 or any(len(path) > 1 for path in d.when)]
    waiting = [parent for name in waiting for parent in _parents(table[name])]
    while waiting:
        name = waiting.pop()
        if name not in core:
            core.add(name)
            waiting += _parents(table[name])
    ordered = [decision for name, decision in table.items() if name in core]
    if prod(decision.ways() for decision in ordered) > ENUMERABLE:
        raise OverflowError
    below = {n: d for n, d in table.items() if n not in core}
    total = 0
    for picks in enumerate_picks(ordered):
        roots = [d for d in below.values() if d.active(picks) and _parents(d) <= core]
        total += prod(_tree(root, below) for root in roots)
    return total


def _tree(root: Decision, table: Table) -> int:
    """Ways to answer a decision and all that it leads to, where each child has this one parent."""
    children = [(d, options) for d in table.values() for ((name, options),) in d.when if name == root.name]
    if root.keep == (1, 1):
        return sum(prod(_tree(d, table) for d, on in children if option in on) for option in root.options)
    if all(len(options) == 1 for _, options in children):
        weights = [prod(_tree(d, table) for d, on in children if option in on) for option in root.options]
        return sum(_symmetric(weights)[root.keep[0] : root.keep[1] + 1])
    return sum(prod(_tree(d, table) for d, on in children if not set(on).isdisjoint(pick)) for pick in root.picks())


def _symmetric(weights: Sequence[int]) -> list[int]:
    """Elementary symmetric sums: the total weight of all subsets of each size."""
    sums = [1] + [0] * len(weights)
    for weight in weights:
        for k in range(len(weights), 0, -1):
            sums[k] += sums[k - 1] * weight
    return sums


def enumerate_picks(decisions: Sequence[Decision]) -> Iterator[dict[str, tuple[str, ...]]]:
    """Every combination of picks, in the order of the decisions and of their options."""

    def rest(position: int, picks: dict[str, tuple[str, ...]]) -> Iterator[dict[str, tuple[str, ...]]]:
        while position < len(decisions) and not decisions[position].active(picks):
            position += 1
        if position == len(decisions):
            yield dict(picks)
            return
        decision = decisions[position]
        for pick in decision.picks():
            picks[decision.name] = pick
            yield from rest(position + 1, picks)
        del picks[decision.name]

    return rest(0, {})
