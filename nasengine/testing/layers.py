"""The contract of layers: they run, say what they are, stand alone as source, and can be cut to smaller sizes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from nasengine.interpreters.closure import Closure
from nasengine.interpreters.shape import Shape, build, layer_facts
from nasengine.interpreters.slicing import TRAILING, cyclic
from nasengine.interpreters.statements import statements_of
from nasengine.testing.precision import apart, double, shake
from nasengine.testing.report import Report
from nasengine.testing.slicing import Sized, slicing_fault

CLOSE = 1e-9
WINDOWS = (TRAILING, cyclic(0.75))


def check_layer(
    layer: type,
    channels: int = 32,
    *,
    inputs: int = 1,
    side: int = 8,
    sizes: Mapping[str, Sequence[Any]] | None = None,
    **settings: Any,
) -> Report:
    """Check a layer with these settings on maps of `side` by `side` pixels, `inputs` of them.

    `sizes` names settings that spaces may choose from, with their values: check_layer(SepConv, sizes={"kernel":
    (3, 7)}). The width that arrives is always checked, at half of `channels` too.
    """
    report = Report(f"layer {layer.__name__}")
    settings |= {name: max(values) for name, values in (sizes or {}).items()}
    full = Sized(((channels, side, side),) * inputs, settings)
    with report.claim("runs on images alone and in batches"), torch.random.fork_rng(devices=[]):
        runs(layer, full)
    if not report.ok:
        return report
    with report.claim("is what it says it is"):
        faults = list(word_faults(layer, full.inputs, settings))
        assert not faults, "; ".join(faults)
    with report.claim("stands alone as source"):
        stands_alone(layer)
    half = Sized(((channels // 2, side, side),) * inputs, settings)
    smaller = {"half the channels that arrive": half} | {
        f"{name} {value!r}": Sized(full.inputs, {**settings, name: value})
        for name, values in (sizes or {}).items()
        for value in values
    }
    for words, small in smaller.items():
        with report.claim(f"can be cut to {words}"):
            assert not (fault := slicing_fault(layer, small, full)), fault
    if report.ok:
        with report.claim("can be cut at any window of the channels, or says why not"):
            _windows(layer, smaller, full)
    return report


def _windows(layer: type, smaller: Mapping[str, Sized], full: Sized) -> None:
    """Every other window than the leading one serves all sizes; a layer that has a reason not to is not asked."""
    found = (slicing_fault(layer, small, full, window) for window in WINDOWS for small in smaller.values())
    faults = [fault for fault in found if fault]
    advice = "say in the class attribute leading_only why no other channels can be cut"
    assert not faults or hasattr(layer, "leading_only"), f"{min(faults)}; or {advice}"


def runs(layer: type, size: Sized) -> None:
    """Shapes are those of the meta device at every batch, and every weight learns."""
    expected = layer_facts("the layer", layer, size.settings, size.inputs).output
    module = build(layer, size.inputs, size.settings)
    for batch, training in ((1, False), (3, False), (3, True)):
        output = module.train(training)(*_images(size.inputs, batch))
        shape = tuple(output.shape)
        assert shape == (batch, *expected), f"a batch of {batch} gives {shape}, the meta device {(batch, *expected)}"
    if output.requires_grad:
        (output * torch.randn_like(output)).sum().backward()
    dead = [name for name, weight in module.named_parameters() if weight.requires_grad and weight.grad is None]
    assert not dead, f"weights that no gradient reaches: {dead}; remove them, or use them"


def word_faults(layer: type, inputs: Sequence[Shape], settings: Mapping[str, Any]) -> Iterator[str]:
    """Class attributes (identity, zero, keeps_zero, training_only) that the layer's outputs do not bear out."""
    with double():
        torch.manual_seed(0)
        module = build(layer, inputs, settings).eval()
        shake(module)
        images = _images(inputs, 2)
        with torch.no_grad():
            output, of_zeros = module(*images), module(*(torch.zeros_like(x) for x in images))
    told = {name for name in ("identity", "zero", "keeps_zero", "training_only") if getattr(layer, name, False)}
    passes = apart(images[0], output) <= CLOSE
    if told & {"identity", "training_only"} and not passes:
        yield f"{layer.__name__} says {sorted(told)}, but at evaluation its output is not its input"
    if "zero" in told and bool(output.abs().max() > 0):
        yield f"{layer.__name__} says zero, but puts out other numbers"
    if "keeps_zero" in told and bool(of_zeros.abs().max() > 0):
        yield f"{layer.__name__} says keeps_zero, but makes something of zeros; digests would be wrong: leave it out"


def stands_alone(layer: type) -> None:
    """The source of the layer and of all that it needs can be collected, and runs; ExportError says why not."""
    closure = Closure()
    closure.name(layer)
    text = "\n".join([closure.imports(), *closure.definitions()])
    exec(compile(text, statements_of(layer.__module__).file, "exec"), {"__name__": layer.__module__})


def _images(inputs: Sequence[Shape], batch: int) -> list[Tensor]:
    return [torch.randn(batch, *shape) for shape in inputs]
