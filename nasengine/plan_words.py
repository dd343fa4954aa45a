"""The words of a search, read and checked one by one and against each other, before anything else is done."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from nasengine.errors import NasError, did_you_mean
from nasengine.executors._storage import Storage, is_url
from nasengine.executors._terms import Terms

LOWERED = ("epochs", "share", "resolution")  # what makes a candidate's training cheaper than the final one
STOPPERS = ("asha", "hyperband", "median", "none")
Settings = Mapping[str, Any]
Words = Sequence[str] | str  # one or several


def several(words: Words | None) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words or ())


def check(numbers: Mapping[str, int | None], hours: Mapping[str, float | None], order: str, policy: str) -> None:
    faults = [
        f"{flag} came as {value}; give a whole number of at least 1"
        for flag, value in numbers.items()
        if value is not None and value < 1
    ]
    faults += [
        f"{flag} came as {value}; give a number above 0"
        for flag, value in hours.items()
        if value is not None and value <= 0
    ]
    for flag, value, allowed in (("order", order, ("arrival", "proposal")), ("policy", policy, ("last", "best"))):
        if value not in allowed:
            faults.append(f"{flag} came as {value!r}; allowed are {', '.join(allowed)}")
    if faults:
        raise NasError("search: " + "; ".join(faults))


def terms_of(words: Settings, stopper: str | None) -> Terms:
    """What the executor is told, and whether each epoch waits for a verdict."""
    names = [one.name for one in fields(Terms) if one.name != "verdicts"]
    faults = [
        f"unknown {word}; there are {', '.join(names)}.{did_you_mean(word, names)}"
        for word in words.keys() - set(names)
    ]
    least = {"workers": 1, "cores_per_worker": 1, "retries": 0, "gpus_per_worker": 0}
    faults += [
        f"{name.replace('_', '-')} came as {words[name]}; give a number of at least {bound}"
        for name, bound in least.items()
        if words.get(name) is not None and words[name] < bound
    ]
    if words.get("job_timeout") is not None and words["job_timeout"] <= 0:
        faults.append(f"job-timeout came as {words['job_timeout']}; give a number of seconds above 0")
    if stopper is not None and stopper not in STOPPERS:
        faults.append(
            f"stopper came as {stopper!r}; allowed are {', '.join(STOPPERS)}.{did_you_mean(stopper, STOPPERS)}"
        )
    if faults:
        raise NasError("search: " + "; ".join(faults))
    given = {name: value for name, value in words.items() if value is not None}
    if is_url(given.get("files")):
        Storage(given["files"], Path("any"))
    return Terms(**given, verdicts=stopper not in (None, "none"))


def fidelity_of(words: Settings) -> dict[str, Any]:
    """The fidelity of candidates, words of a command line made numbers."""
    unknown = [word for word in words if word not in LOWERED]
    if unknown:
        hint = did_you_mean(unknown[0], LOWERED)
        raise NasError(f"search: --fidelity.{unknown[0]} came; allowed are {', '.join(LOWERED)}.{hint}")
    read: dict[str, Any] = {}
    for word, value in words.items():
        try:
            read[word] = float(value) if word == "share" else int(value)
        except (TypeError, ValueError) as error:
            raise NasError(f"search: --fidelity.{word} came as {value!r}; give a number") from error
    return read


def agree(
    strategy: str, is_gradient: bool, evaluator: str, table: Any, reading: Settings, told: bool, supernet: bool
) -> None:
    """Refuse words that have no meaning together."""
    if supernet and not is_gradient:
        raise NasError(f"search: strategy {strategy} trains no supernet, so --supernet.… has no meaning; leave it out")
    if is_gradient and (table is not None or told):
        raise NasError(
            f"search: strategy {strategy} trains a supernet; --table, --objective and --warm-start are for strategies "
            "that propose architectures, such as evolution (see `nasengine strategies`)"
        )
    if (evaluator == "table") != (table is not None):
        raise NasError(
            f"search: --evaluator {evaluator} came {'with' if table else 'without'} --table; a table answers with "
            "--evaluator table alone, and that needs one: --table nasbench201, or a file"
        )
    if table is None and any(reading.values()):
        raise NasError("search: --dataset, --mapping and --join say how to read a table; give --table as well")
