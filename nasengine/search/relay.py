"""Strategy relay: results of earlier searches in the same space, told to a strategy before it begins."""

from collections.abc import Callable, Iterable, Mapping
from itertools import count

from nasengine.errors import LedgerError
from nasengine.ledger import Ledger
from nasengine.search.objective import Goal
from nasengine.search.propose import told_of
from nasengine.search.strategy import Told
from nasengine.space import Space


def counts(ledger: Ledger, name: str | None, sources: Iterable[str]) -> dict[str, int]:
    """How many results of each source count: those it had when the search `name` began, or has now."""
    recorded: Mapping[str, int] = {}
    if name is not None and name in [search["name"] for search in ledger.searches()]:
        recorded = ledger.search(name)["warm_start"] or {}
    return {source: recorded.get(source) or len(ledger.replay(source).told) for source in sources}


def results(
    ledger: Ledger, sources: Mapping[str, int], space: Space, goal: Goal, note: Callable[[str], None]
) -> list[Told]:
    """The first so many results of each search, numbered upwards to -1; failures are left out.

    Raises LedgerError where a search has none that is of use here.
    """
    found: list[Told] = []
    for source, many in sources.items():
        told = [told_of(result, goal) for result in ledger.replay(source).told[:many]]
        useful = [one for one in told if one.value is not None and not space.faults(one.architecture.picks)]
        if not useful:
            raise LedgerError(
                f"warm start from {source}: of its {len(told)} candidates none is of use here: they have to be legal "
                f"in space {space.name}, to have succeeded, and to have {' and '.join(o.name for o in goal.objectives)}"
            )
        left = len(told) - len(useful)
        note(f"told of {len(useful)} results of {source}" + (f"; {left} failed or do not fit here" if left else ""))
        found += useful
    numbers = count(-len(found))
    return [
        Told(next(numbers), one.architecture, one.values, one.value, None, one.objectives, one.weights) for one in found
    ]
