"""What the gates of a gradient search did: their strengths by epoch, when the settled network changed, collapse."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nasengine.job import Json
from nasengine.search.watch import FEW_BITS, MANY_SKIPS, warnings

COLUMNS = 120  # epochs in a heat map; of more, every second, third, …
NAMED = 4  # changes that are named in one epoch


@dataclass(frozen=True)
class Map:
    """One decision's gates: options by epochs, and which option was taken in the end."""

    decision: str
    options: Sequence[str]
    strengths: Sequence[Sequence[float]]  # (options, epochs)
    taken: str | None


@dataclass(frozen=True)
class Change:
    """After an epoch: the decisions that the settled network makes otherwise than an epoch before."""

    epoch: int
    decisions: Sequence[str]
    words: str


@dataclass(frozen=True)
class GateStory:
    """All that is known of one supernet's gates."""

    epochs: Sequence[int]  # of the maps
    maps: Sequence[Map]
    smallest: float  # strength, and the largest: the ends of the scale of colours
    largest: float
    records: Sequence[Json]  # an epoch's figures: skip_share, gate_entropy, …
    changes: Sequence[Change]
    verdicts: Sequence[str]


def story(curve: Sequence[Json], recorded: Sequence[Json]) -> GateStory | None:
    """Read a supernet's epochs and gates; None where it has no gates, as where it was trained for others to search."""
    kept = [one for one in recorded if one["gates"]]
    if not kept:
        return None
    records = [record for record in curve if record.get("gate_entropy") is not None]
    settled = records[-1].get("architecture") or {} if records else {}
    shown = kept[:: -(-len(kept) // COLUMNS)]
    shown = shown if shown[-1] is kept[-1] else [*shown, kept[-1]]
    maps = [_map(name, shown, settled) for name in shown[-1]["gates"]]
    strengths = [value for one in maps for row in one.strengths for value in row]
    changes = list(_changes(records))
    verdicts = [*_when(records, changes), *_collapse(records)]
    return GateStory([one["epoch"] for one in shown], maps, min(strengths), max(strengths), records, changes, verdicts)


def _map(name: str, shown: Sequence[Json], settled: Mapping[str, Sequence[str]]) -> Map:
    options = list(shown[-1]["gates"][name])
    strengths = [[float(one["gates"].get(name, {}).get(option) or 0.0) for one in shown] for option in options]
    return Map(name, options, strengths, next(iter(settled.get(name, ())), None))


def _changes(records: Sequence[Json]) -> Iterator[Change]:
    for before, after in zip(records, records[1:], strict=False):
        old, new = before.get("architecture") or {}, after.get("architecture") or {}
        names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
        if names:
            told = [f"{name}: {_picks(old.get(name))} → {_picks(new.get(name))}" for name in names[:NAMED]]
            more = [f"and {len(names) - NAMED} more"] if len(names) > NAMED else []
            yield Change(after["epoch"], names, "; ".join([*told, *more]))


def _picks(kept: Sequence[str] | None) -> str:
    return " + ".join(kept) if kept else "not there"


def _when(records: Sequence[Json], changes: Sequence[Change]) -> Iterator[str]:
    if len(records) < 2:
        return
    last = records[-1]["epoch"]
    if not changes:
        yield f"The network that the gates would settle on was the same after each of the {len(records)} epochs."
        return
    since = last - changes[-1].epoch
    still = f"and was the same for the {since} after it" if since else "the last one, so it may not have settled yet"
    yield (
        f"The network that the gates would settle on changed in {len(changes)} of {len(records) - 1} epochs: last in "
        f"epoch {changes[-1].epoch} of {last}, {still}."
    )


def _collapse(records: Sequence[Json]) -> Iterator[str]:
    """One plain sentence, and its rule."""
    if not records:
        return
    last = records[-1]
    rule = (
        f"(The rule: more than {MANY_SKIPS:.0%} skip connections in what a cell settles on, or an entropy of the gates "
        f"below {FEW_BITS:g}, where 1 is open and 0 decided.)"
    )
    shares = last.get("skip_shares") or {"": last.get("skip_share", 0.0)}
    skips = ", ".join(f"{share:.0%} of {name or 'the network'}" for name, share in shares.items())
    figures = f"skip connections are {skips}, the gates' entropy is {last['gate_entropy']:.2f}"
    told = dict(warnings(last))
    skipping = [key for key in told if key.startswith("skips ")]
    if skipping:
        since = next(record["epoch"] for record in records if set(skipping) & set(dict(warnings(record))))
        yield f"It collapsed into skip connections, first seen in epoch {since}: in the end {figures}. {rule}"
    elif "entropy" in told:
        yield f"It did not collapse into skip connections, but its gates have closed: {figures}. {rule}"
    else:
        yield f"It did not collapse: in the end {figures}. {rule}"
