"""What the reproduce command does and says."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from cyclopts import CycloptsError

from nasengine.commands import search_command
from nasengine.console import exits
from nasengine.console.flags import SearchFlags, named
from nasengine.console.output import emit, note, number, say
from nasengine.console.searching import resumable
from nasengine.console.words import arguments, split
from nasengine.differences import Change
from nasengine.errors import NasError
from nasengine.ledger import Ledger
from nasengine.reproduce import Repetition, carry_out, prepare
from nasengine.reproduced import Outcome

SHOWN = 60  # letters of a fact


def reproduce(name: str, words: Mapping[str, Any], *, dry_run: bool, db: str, json: bool, line: str) -> int:
    """Repeat a search from the words of a command line; returns the exit code."""
    from nasengine.console.progress import listener

    with Ledger(named(db), create=False) as ledger:
        search = ledger.search(name)
    command = search["command"] if search["words"] is None else None
    repetition = prepare(name, **words, typed=None if command is None else typed(command), db=named(db))
    if dry_run:
        _emit_plan(repetition, db) if json else say("\n".join(planned(repetition, db)))
        return exits.FAILED if repetition.facts else exits.OK
    for text in beforehand(repetition):
        note(text)
    repetition.refuse_other_data()
    shown = listener()
    with resumable(shown, line, "--as"):
        found = carry_out(repetition, named(db), shown, line)
    emit(found.to_json()) if json else say("\n".join(told(found)))
    return exits.OK if found.same else exits.FAILED


def typed(command: str) -> dict[str, Any] | None:
    """The words of a `nasengine search …` as it was typed; None where it is another one, or cannot be read."""
    try:
        program, *words = shlex.split(command)
        if program != "nasengine" or words[:1] != ["search"]:
            return None
        from nasengine.cli import app

        plain, groups = split(words)
        _, bound, unparsed = app.parse_args(plain, print_error=False, exit_on_error=False, verbose=False)
        flags = bound.arguments.get("flags") or SearchFlags()
        return {**vars(flags), **arguments("search", groups, list(unparsed))}
    except (ValueError, NasError, CycloptsError):
        return None


def planned(repetition: Repetition, db: str) -> Iterator[str]:
    """What would be done."""
    row = {**repetition.run.search, "name": repetition.name, "words": repetition.plan.words}
    yield f"{repetition.run.name} is repeated as {repetition.name}:"
    yield f"  {search_command(row, db)}"
    yield from beforehand(repetition)
    yield "nothing was begun"


def beforehand(repetition: Repetition) -> Iterator[str]:
    """What is known to differ before anything is trained."""
    yield from repetition.notes
    yield from changes("facts", repetition.facts)
    yield from changes("surroundings", repetition.environment)


def changes(what: str, found: Mapping[str, Change]) -> Iterator[str]:
    """What differs, a line each."""
    if not found:
        yield f"{what}: the same"
    for name, (then, now) in found.items():
        yield f"{what} differ: {name} {_short(then)} then, {_short(now)} now"


def told(found: Outcome) -> Iterator[str]:
    """What a repetition found, beside what it repeats."""
    yield from changes("surroundings", found.environment)
    yield from changes("facts", found.facts)
    yield _about_proposals(found)
    yield _about_values(found)
    then, now = found.chosen
    yield f"chosen network: {'the same' if then == now else f'{then} then, {now} now'}"
    yield from _about_figures(found)
    verdict = "the same to the last bit as" if found.same else "not the same as"
    yield f"\n{found.again} is {verdict} {found.name}"


def _about_proposals(found: Outcome) -> str:
    then, now = found.proposals
    if then == now == 0:
        return "proposals: none, a supernet is trained"
    counted = f"{then}" if then == now else f"{then} then, {now} now"
    if found.first is not None:
        return f"proposals: {counted}; number {found.first} is the first that differs"
    return f"proposals: {counted}; {'the same' if then == now else 'the same as far as both go'}"


def _about_values(found: Outcome) -> str:
    values = found.values
    words = f"values: {values.equal} of {values.compared} trials of the same networks are equal to the last bit"
    largest = [f"{name} by {by:.3g} (trial {trial})" for name, (by, trial) in values.largest.items()]
    return f"{words}; the largest differences: {', '.join(largest)}" if largest else words


def _about_figures(found: Outcome) -> Iterator[str]:
    then, now = found.figures
    for name in sorted({*then, *now}):
        one, other = then.get(name), now.get(name)
        words = number(one) if one == other else f"{number(one) or 'none'} then, {number(other) or 'none'} now"
        yield f"  {name.replace('_', ' ')}: {words}"


def _short(value: Any) -> str:
    text = "not known" if value is None else str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _emit_plan(repetition: Repetition, db: str) -> None:
    row = {**repetition.run.search, "name": repetition.name, "words": repetition.plan.words}
    emit(
        {
            "name": repetition.run.name,
            "again": repetition.name,
            "command": search_command(row, db),
            "notes": repetition.notes,
            "facts": {name: {"then": then, "now": now} for name, (then, now) in repetition.facts.items()},
            "environment": {name: {"then": then, "now": now} for name, (then, now) in repetition.environment.items()},
        }
    )
