"""How many architectures a table of decisions holds, exactly, whatever its ties."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import prod

from nasengine.space.decisions import Condition, Decision

Table = Mapping[str, Decision]
Left = Mapping[str, frozenset[tuple[Condition, ...]]]  # decision -> the alternatives still open; an empty one holds
State = frozenset[tuple[str, frozenset[tuple[Condition, ...]]]]  # the same, hashable
STATES = 100_000


def count(table: Table) -> int:
    """The exact number of architectures, before any `where`.

    Raises OverflowError when ties leave more than 100,000 cases apart at once.
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
    """A group's number, decision by decision: picks that leave the later ones equally askable are counted together."""
    states: dict[State, int] = {frozenset(): 1}
    for name, decision in table.items():
        children = [later for later in table.values() if name in _parents(later)]
        conditions = {c for later in children for path in later.when for c in path if c[0] == name}
        answers = _answers(decision, conditions)
        after: dict[State, int] = defaultdict(int)
        for state, number in states.items():
            left = dict(state)
            asked = () in left.pop(name, decision.when or {()})
            for true, ways in answers.items() if asked else [(frozenset[Condition](), 1)]:
                after[_reduced(left, children, name, true)] += number * ways
        if len(after) > STATES:
            raise OverflowError
        states = after
    return sum(states.values())


def _answers(decision: Decision, conditions: set[Condition]) -> dict[frozenset[Condition], int]:
    """The sets of conditions that picks of a decision make true, each with the number of picks that do."""
    if not conditions:
        return {frozenset(): decision.ways()}
    if decision.ways() > STATES:
        raise OverflowError
    return Counter(frozenset(c for c in conditions if not set(c[1]).isdisjoint(pick)) for pick in decision.picks())


def _reduced(left: Left, children: Sequence[Decision], name: str, true: frozenset[Condition]) -> State:
    """What is still open for later decisions, once a decision is answered (or not asked: nothing is true)."""
    left = dict(left)
    for child in children:
        paths = left.get(child.name, child.when)
        holding = [path for path in paths if all(c in true for c in path if c[0] == name)]
        open_paths = frozenset(tuple(c for c in path if c[0] != name) for path in holding)
        left[child.name] = frozenset({()}) if () in open_paths else open_paths
    return frozenset(left.items())


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
