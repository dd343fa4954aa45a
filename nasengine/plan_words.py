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
    allowed = (*LOWERED, "batches")
    unknown = [word for word in words if word not in allowed]
    if unknown:
        hint = did_you_mean(unknown[0], allowed)
        raise NasError(f"search: --fidelity.{unknown[0]} came; allowed are {', '.join(allowed)}.{hint}")
    read: dict[str, Any] = {}
    for word, value in words.items():
        try:
            read[word] = float(value) if word == "share" else int(value)
        except (TypeError, ValueError) as error:
            raise NasError(f"search: --fidelity.{word} came as {value!r}; give a number") from error
    if read.get("batches", 1) < 1:
        raise NasError(f"search: --fidelity.batches came as {read['batches']}; give a whole number of at least 1")
    return read


FINALS = ("train", "finetune", "inherit")
FLAGS = {"table": "--table", "inherit": "--supernet", "proxy": "--proxy"}
EXAMPLES = {
    "table": "--table nasbench201, or a file",
    "inherit": "--supernet NAME, the search that trained it",
    "proxy": "--proxy synflow",
}


def agree(
    strategy: str, is_gradient: bool, evaluator: str, means: Mapping[str, Any], reading: Settings, *,
    warm_start: bool, supernet: bool, cheaper: str, stop_by: Any, final_by: str, options: bool, executor: str,
    workers: int,
) -> None:  # fmt: skip
    """Refuse words that have no meaning together; `means`: what each evaluator but train needs, where it came."""
    given = [kind for kind, word in means.items() if word is not None]
    faults = []
    if supernet and not is_gradient:
        faults.append(f"strategy {strategy} trains no supernet, so --supernet.… has no meaning; leave it out")
    if is_gradient and (given or warm_start):
        flags = [FLAGS[kind] for kind in given] + ["--warm-start"] * warm_start
        faults.append(
            f"strategy {strategy} trains a supernet; {', '.join(flags)} came, for strategies that propose "
            "architectures, such as evolution (see `nasengine strategies`)"
        )
    if len(given) > 1:
        faults.append(f"{' and '.join(FLAGS[kind] for kind in given)} came; candidates are measured one way: give one")
    for kind, flag in FLAGS.items():
        if (evaluator == kind) != (kind in given) and len(given) < 2:
            faults.append(
                f"--evaluator {evaluator} came {'with' if kind in given else 'without'} {flag}; it answers with "
                f"--evaluator {kind} alone, and that needs one: {EXAMPLES[kind]}"
            )
    if "table" not in given and any(reading.values()):
        faults.append("--dataset, --mapping and --join say how to read a table; give --table as well")
    if options and "proxy" not in given:
        faults.append("--proxy.… came without --proxy; give its name, such as --proxy synflow")
    if final_by not in FINALS:
        faults.append(f"--final came as {final_by!r}; allowed are {', '.join(FINALS)}.{did_you_mean(final_by, FINALS)}")
    elif final_by != "train" and "inherit" not in given:
        faults.append(f"--final {final_by} came without --supernet; there are no weights to begin with")
    if is_gradient and workers > 1 and executor != "ray":
        faults.append(
            f"--executor {executor} --workers {workers} came; a supernet is trained by several processes with "
            "--executor ray, or by one: leave --workers out"
        )
    if stop_by:
        faults.append(f"--stop-by {stop_by} came without a stopper; give --stopper asha, hyperband or median")
    trained = not is_gradient and evaluator not in FLAGS
    if cheaper and not (trained or (cheaper.startswith("--fid") and evaluator in ("inherit", "proxy"))):
        of_what = "a supernet, whose epochs are --epochs" if is_gradient else f"{evaluator}, which answers at once"
        faults.append(f"{cheaper} came; it is for candidates that are trained: not for {of_what}")
    if faults:
        raise NasError("\n".join(f"search: {fault}" for fault in faults))
