"""The contract of spaces: what `nasengine describe --check` runs on a space, ours or a user's own."""

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from types import ModuleType
from typing import Any

from nasengine.errors import NasError
from nasengine.interpreters.digest import digest
from nasengine.interpreters.shape import trace
from nasengine.settings import fill, settings_of
from nasengine.space import EVERYTHING, Published, Space
from nasengine.testing.equality import change_faults, equality_faults, some_of
from nasengine.testing.layers import word_faults
from nasengine.testing.other_python import ALONE, DIGESTS, OtherPython
from nasengine.testing.report import Report
from nasengine.testing.slicing import space_slicing_faults

SMALLEST = (1, 8, 8)
CLASSES = 10
ENOUGH = 100_000  # architectures to enumerate


def check_space(
    what: ModuleType | Callable[..., Space] | Space,
    settings: Mapping[str, Any] | None = None,
    *,
    architectures: int = 4,
    seed: int = 0,
    alone: OtherPython | None = None,
    elsewhere: OtherPython | None = None,
) -> Report:
    """Check a space's module, its function, or one space that is built already.

    Takes `architectures` each of sampled, mutated and crossed ones. A function is built for images of (1, 8, 8) or
    the smallest that its error names, unless `settings` say otherwise. `alone` and `elsewhere` are processes
    (`OtherPython(*ALONE)`, `OtherPython(*DIGESTS)`) to share between several checks.
    """
    report = Report(f"space {getattr(what, 'name', None) or getattr(what, '__name__', what)}")
    with report.claim("builds for small images, or names the smallest it takes"):
        space = what if isinstance(what, Space) else _built(_function(what), settings or {})
        trace(space, EVERYTHING, asides=True)
    if not report.ok:
        return report
    _decisions(report, space, architectures, seed)
    with report.claim("its named architectures are legal"):
        for name, published in getattr(what, "ARCHITECTURES", {}).items():
            _legal(_function(what), name, published)
    with report.claim("its sizes can be cut from one set of weights"):
        _none(space_slicing_faults(space))
    with report.claim("its layers are what they say they are"):
        _none(_words(space))
    if report.ok:
        _networks(report, space, architectures, seed, alone)
    if isinstance(what, ModuleType) and report.ok:
        with report.claim("digests are the same in another process"):
            _digests_elsewhere(space, what, architectures, seed, elsewhere)
    return report


def _words(space: Space) -> Iterator[str]:
    shapes, _ = trace(space, EVERYTHING, asides=True)
    distinct = {(layer, repr(settings), inputs): settings for layer, settings, inputs in shapes.layers.values()}
    for (layer, _, inputs), settings in distinct.items():
        yield from word_faults(layer, inputs, settings)


def _decisions(report: Report, space: Space, each: int, seed: int) -> None:
    with report.claim("sampled, mutated and crossed architectures are legal"):
        for one in some_of(space, max(each, 20), seed):
            faults = space.faults(one.picks)
            assert not faults, f"{one.to_json()}: {'; '.join(faults)}"
    with report.claim("count equals enumeration, on its small copy"):
        small = space.small()
        listed = list(islice(small.enumerate(), ENOUGH + 1))
        assert len(listed) > ENOUGH or small.count() == len(listed), f"{small.count()} counted, {len(listed)} listed"
        assert len(set(listed)) == len(listed), "an architecture is listed twice"


def _networks(report: Report, space: Space, each: int, seed: int, alone: OtherPython | None) -> None:
    chosen = some_of(space, each, seed)
    with report.claim("supernet, inherited network and exported source are equal"):
        if alone is not None:
            _none(equality_faults(space, chosen, alone))
        else:
            with OtherPython(*ALONE) as own:
                _none(equality_faults(space, chosen, own))
    if any(decision.ways() > 1 for decision in space.decisions.values()):
        with report.claim("a changed decision changes the output, or the digest is the same"):
            _none(change_faults(space, chosen, seed))


def _digests_elsewhere(space: Space, module: ModuleType, each: int, seed: int, elsewhere: OtherPython | None) -> None:
    is_file = module.__name__.startswith("nasengine_user.")
    rng = random.Random(seed)
    chosen = [space.sample(rng) for _ in range(each)]
    question = {
        "space": str(module.__file__) if is_file else module.__name__,
        "settings": dict(space.settings),
        "architectures": [one.to_json() for one in chosen],
    }
    if elsewhere is not None:
        answer = elsewhere.ask(question)
    else:
        with OtherPython(*DIGESTS) as own:
            answer = own.ask(question)
    assert not isinstance(answer, str), answer
    for one, given in zip(chosen, answer, strict=True):
        assert given == digest(space, one), f"{one.to_json()}: {digest(space, one)} here, {given} there"


def _function(what: Any) -> Callable[..., Space]:
    function = getattr(what, "space", what)
    assert callable(function), f"{what!r}: it has no function `space`; write `def space(…) -> Space`"
    return function


def _built(function: Callable[..., Space], settings: Mapping[str, Any]) -> Space:
    """The space for the smallest images; where it refuses them, for the size that its error names."""
    names = {setting.name for setting in settings_of(function)}
    filled = {"input": SMALLEST, "classes": CLASSES}
    known = {**{name: value for name, value in filled.items() if name in names}, **settings}
    try:
        return _with_settings(function, known)
    except NasError as error:
        named = re.findall(r"\d+", "".join(re.split("at least|smallest", str(error))[1:]))
        assert "input" in names and named, f"on images of {SMALLEST} it fails without naming the smallest size: {error}"
        side = max(map(int, named))
        return _with_settings(function, {**known, "input": (SMALLEST[0], side, side)})


def _with_settings(function: Callable[..., Space], settings: Mapping[str, Any]) -> Space:
    """The space, traced once, with the record of its settings that loading it by name would leave."""
    values = fill("the space's function", function, settings)
    space = replace(function(**values), settings=values)
    trace(space, EVERYTHING, asides=True)
    return space


def _legal(function: Callable[..., Space], name: str, published: Published) -> None:
    faults = function(**published.settings).faults(published.picks)
    assert not faults, f"{name}: {'; '.join(faults)}"


def _none(faults: Iterable[str]) -> None:
    found = list(islice(faults, 5))
    assert not found, "; ".join(found)
