"""Which searches are compared: names and patterns, and those that differ in their seed alone as one group."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from os.path import commonprefix
from typing import Any

from nasengine.compare.members import Member, read
from nasengine.differences import differences
from nasengine.errors import NasError, did_you_mean
from nasengine.ledger import Ledger
from nasengine.ledger.ledger import FIXED

APART = ("seed",)  # the facts in which searches of one group differ


@dataclass(frozen=True)
class Group:
    """Searches that differ in their seed alone, or that a user put together under a label."""

    label: str
    members: Sequence[Member]

    @property
    def first(self) -> Member:
        """One that stands for all."""
        return self.members[0]


def grouped(ledger: Ledger, texts: Sequence[str]) -> list[Group]:
    """Read what a user names: `evo-1`, `evo-*`, `evo-1+evo-2=label`. Raises NasError for what no search is called."""
    names = [str(search["name"]) for search in ledger.searches()]
    found: list[Group] = []
    loose: dict[str, Member] = {}
    for text in texts:
        words, _, label = (text, "", "") if text in names else text.partition("=")
        chosen = {name: read(ledger, name) for name in _named(words, names)}
        if label:
            found.append(Group(label, list(chosen.values())))
        else:
            loose |= chosen
    groups = [*found, *_by_facts(loose.values())]
    twice = [name for name, count in _counted(groups).items() if count > 1]
    if twice:
        raise NasError(f"compare: {', '.join(twice)} came twice; name each search once")
    if len(groups) < 2:
        there = ", ".join(member.name for group in groups for member in group.members)
        raise NasError(
            f"compare: {there} differ in nothing but their seed, which is one group; name searches of another kind as "
            "well, or label the groups: A=one B=other"
        )
    return groups


def _named(text: str, names: Sequence[str]) -> list[str]:
    """The searches of one word: a name, a pattern, or several of them with + between."""
    parts = [text] if text in names else text.split("+")
    found = [
        name for part in parts for name in ([part] if part in names else [n for n in names if fnmatchcase(n, part)])
    ]
    missing = [part for part in parts if not any(fnmatchcase(name, part) or name == part for name in names)]
    if missing:
        raise NasError(
            f"compare: no search is called {', '.join(missing)}; there are {', '.join(names) or 'none'}."
            f"{did_you_mean(missing[0], names)}"
        )
    return list(dict.fromkeys(found))


def facts(member: Member) -> dict[str, Any]:
    """What makes a search, but its seed."""
    return {name: member.search[name] for name in FIXED if name not in APART}


def _by_facts(members: Iterable[Member]) -> list[Group]:
    kinds: dict[str, list[Member]] = {}
    for member in members:
        key = json.dumps({**facts(member), "trials": member.search["trials"]}, sort_keys=True)
        kinds.setdefault(key, []).append(member)
    groups = [sorted(mine, key=lambda one: one.seed) for mine in kinds.values()]
    return [Group(label, mine) for label, mine in zip(_labels(groups), groups, strict=True)]


def _labels(groups: Sequence[Sequence[Member]]) -> list[str]:
    """A name for each: of one search its own, else what all names begin with, else the strategy; all different."""
    labels = [_label([member.name for member in mine], str(mine[0].search["strategy"])) for mine in groups]
    if len(set(labels)) == len(labels):
        return labels
    return [f"{label} ({mine[0].name}{', …' if mine[1:] else ''})" for label, mine in zip(labels, groups, strict=True)]


def _label(names: Sequence[str], strategy: str) -> str:
    stem = re.sub(r"[-_. ]*(seed|s)?[-_. ]*\d*$", "", commonprefix(list(names)))
    return names[0] if len(names) == 1 else stem or strategy


def _counted(groups: Iterable[Group]) -> Mapping[str, int]:
    names = [member.name for group in groups for member in group.members]
    return {name: names.count(name) for name in names}


def inside(group: Group) -> dict[str, Any]:
    """Facts in which searches of one group differ beside their seed: only of a labelled group there are any."""
    found: dict[str, Any] = {}
    for member in group.members[1:]:
        found |= dict(differences("", facts(group.first), facts(member)))
    return found
