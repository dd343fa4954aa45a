"""What makes a comparison of searches less than it seems: other images, other trainings, other machines, few seeds."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nasengine.bench.significance import LEVEL
from nasengine.compare.groups import inside
from nasengine.compare.ranks import LEAST, enough, reach

if TYPE_CHECKING:
    from nasengine.compare.comparison import Comparison

MACHINE = ("host", "cpus", "threads", "gpu")
CHEAPER = ("fidelity", "evaluator", "recipe.candidate")  # of candidates


def values(of: "Comparison") -> Iterator[str]:
    """Why values of candidates cannot be compared."""
    different = list(_different(of, "data_fingerprint"))
    if different:
        yield f"The searches saw different images ({'; '.join(different)}): no value of one says anything of another's."
    for fact in () if different else CHEAPER:
        told = list(_different(of, fact))
        if told:
            yield (
                f"Candidates were measured differently ({fact.split('.')[0]}: {'; '.join(told)}): their values are not "
                "to be compared, those of the final networks are."
            )


def tests(of: "Comparison") -> Iterator[str]:
    """Why test figures cannot be compared."""
    told = list(_different(of, "recipe.final"))
    if told:
        yield f"Chosen networks were trained by different recipes ({'; '.join(told)}): test figures are no verdict."
    different = [group.label for group in of.groups if not any(member.tests for member in group.members)]
    if different:
        yield f"{', '.join(different)}: no chosen network was trained to its end, so there is no test figure."
    if list(_different(of, "data_fingerprint")):
        yield "Test figures are of different images, too."


def costs(of: "Comparison") -> Iterator[str]:
    """Why what was spent cannot be compared."""
    members = [member for group in of.groups for member in group.members]
    if of.by != "trials":
        for name in MACHINE:
            known = {str((member.search["environment"] or {}).get(name)) for member in members}
            if len(known - {"None"}) > 1:
                yield f"They ran on different machines ({name}: {', '.join(sorted(known))}): costs are not comparable."
        if len({member.uses_gpu for member in members}) > 1:
            yield "Some used a GPU and some did not: costs are not comparable; --by trials compares by candidates."
    shared = [f"{member.name} {member.reused}" for member in members if member.reused]
    if shared and of.by == "cost":
        yield (
            f"Results of earlier trainings were taken over ({', '.join(shared)}): each is charged with what that "
            "training took."
        )
    if of.by == "time":
        resumed = [member.name for member in members if (member.search["environment"] or {}).get("resumed")]
        if shared:
            yield f"Results of earlier trainings took no time ({', '.join(shared)}): these searches look too fast."
        if resumed:
            yield f"{', '.join(resumed)} was stopped and went on: its time has the pause in it."
    for member in members:
        if member.events and not any(one.core_seconds or one.gpu_seconds for one in member.events) and of.by == "cost":
            yield f"{member.name} was answered by a table, which costs nothing: take --by trials, or nasengine bench."


def members(of: "Comparison") -> Iterator[str]:
    """What single searches, or a group, have about them."""
    for group in of.groups:
        differing = inside(group)
        if differing:
            yield f"{group.label} holds searches that differ in more than their seed: {', '.join(differing)}."
        for member in group.members:
            if member.search["state"] != "complete":
                yield f"{member.name} is {member.search['state']}, not complete."
            if not member.events:
                took = member.other.core_seconds if member.other is not None else 0.0
                yield (
                    f"{member.name} learned gates inside a supernet ({took:.0f} core seconds): it has no curve of "
                    "candidates."
                )


def seeds(of: "Comparison") -> Iterator[str]:
    """Whether the seeds suffice to say anything."""
    for row in of.rows:
        if row.budget is not None and len(row.equal) < len(row.seeds):
            yield f"{row.label}: {len(row.equal)} of {len(row.seeds)} seeds had a result by the equal budget."
    if of.few:
        yield (
            f"{', '.join(of.few)}: fewer than {LEAST} seeds, which is too few for a claim; the same search under other "
            "seeds (--seed 1, --seed 2, …) makes a group."
        )
    counted = max((len(mine) for mine in of.verdicts.values()), default=0)
    least = min((pair.seeds for mine in of.verdicts.values() for pair in mine), default=0)
    if counted and reach(least) * counted >= LEVEL:
        yield (
            f"{least} seeds cannot tell groups apart, however clear it looks: the smallest p they can have is "
            f"{min(1.0, reach(least) * counted):.2g}; take at least {enough(counted)} each."
        )


def _different(of: "Comparison", fact: str) -> Iterator[str]:
    """What each group has of a fact, where they do not all have the same."""
    found = {group.label: _fact(group.first.search, fact) for group in of.groups}
    unknown = () if fact == "fidelity" else (None,)  # nothing lowered is a fidelity, too
    if len({str(value) for value in found.values() if value not in unknown}) > 1:
        yield from (f"{label} {_short(value, list(found.values()))}" for label, value in found.items())


def _fact(search: dict[str, Any], fact: str) -> Any:
    name, _, inner = fact.partition(".")
    value = search[name]
    return (value or {}).get(inner) if inner else value or None


def _short(value: Any, others: list[Any]) -> str:
    """A fact in few letters; of a table only what others have differently."""
    if not isinstance(value, dict):
        return str(value)[:12] if value is not None else "none"
    tables = [one for one in others if isinstance(one, dict)]
    names = [name for name in value if any(one.get(name) != value[name] for one in tables)] or list(value)
    return ", ".join(f"{name}={value[name]}" for name in names[:4]) or "none"
