"""Whether the small sizes of a layer may live inside its largest one, as supernets store them.

The contract: with nothing outside the slice, the large layer computes in its window what the small one does; the window
is the leading channels unless another is given.
Nothing outside means zeros; or, for layers that take statistics over the channels, copies of the slice, which leave a
mean and a variance as they are. A fused projection (`qkv`), or groups whose number changes with the size, break it:
their slice holds other weights than those that the small layer means.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from nasengine.interpreters.shape import Shape, layer_facts, trace
from nasengine.interpreters.shape import build as build_layer
from nasengine.interpreters.slicing import LEADING, Window, cut, put
from nasengine.interpreters.store import OneSize
from nasengine.space import EVERYTHING, Space
from nasengine.testing.precision import apart, double, shake

TOLERANCE = 1e-9
ADVICE = "make it a choice between layers instead of a setting, or give each part that is cut weights of its own"
Rest = Literal["zeros", "copies"]


@dataclass(frozen=True)
class Sized:
    """A layer at one size: the shapes (channels, height, width) that arrive, and the settings."""

    inputs: tuple[Shape, ...]
    settings: Mapping[str, Any]

    def key(self) -> tuple[Any, ...]:
        """What tells sizes apart."""
        return self.inputs, repr(sorted(self.settings.items()))


def slicing_fault(layer: type, small: Sized, full: Sized, window: Window = LEADING) -> str:
    """What is wrong with cutting the small size out of the full one, in words; empty if nothing is."""
    shapes = [layer_facts("", layer, one.settings, one.inputs).tensors for one in (small, full)]
    if {n: len(shape) for n, shape in shapes[0].items()} != {n: len(shape) for n, shape in shapes[1].items()}:
        return f"{_words(layer, small, full)}: the two do not hold the same tensors; {ADVICE}"
    with double():
        torch.manual_seed(0)
        computed = _other_constant(layer, small, full) or _other_constant(layer, full, small)
        if computed:
            return f"{_words(layer, small, full)}: the buffer {computed} holds other numbers at each size; {ADVICE}"
        if shapes[0] == shapes[1] and small.inputs == full.inputs:
            return ""  # nothing is cut: the layer means something else by the same weights, which is its own affair
        if any(a > b for n, shape in shapes[0].items() for a, b in zip(shape, shapes[1][n], strict=True)):
            small, full = full, small
        doubled = _doubled(small, full)
        if _agree(layer, small, full, "zeros", window) or _agree(layer, small, doubled, "copies", window):
            return ""
    where = "" if window == LEADING else f" at the {window.side} channels"
    return (
        f"{_words(layer, small, full)}: cut out of the larger one{where}, the smaller computes something else, so "
        f"they cannot share weights; {ADVICE}"
    )


def space_slicing_faults(space: Space, window: Window = LEADING) -> Iterator[str]:
    """The faults of every layer in a space at every size, each with its place and the decision to blame."""
    base, _ = trace(space, EVERYTHING, asides=True)
    looked_at = set()
    for name, decision in space.decisions.items():
        if not decision.of_values or name in space.recipe_decisions:
            continue
        for option in decision.options:
            swept, _ = trace(space, OneSize(EVERYTHING, name, option), asides=True)
            for place, (layer, settings, inputs) in swept.layers.items():
                small, full = Sized(inputs, settings), Sized(base.layers[place][2], base.layers[place][1])
                key = layer, small.key(), full.key()
                if key[1] == key[2] or key in looked_at:
                    continue
                looked_at.add(key)
                fault = slicing_fault(layer, small, full, window)
                if fault:
                    yield f"decision {name!r}, at {place or 'the network'}: {fault}"


def _words(layer: type, small: Sized, full: Sized) -> str:
    changed = {k: v for k, v in small.settings.items() if full.settings.get(k) != v}
    sizes = [f"{name} {value!r} and {full.settings.get(name)!r}" for name, value in changed.items()]
    widths = [tuple(shape[0] for shape in one.inputs) for one in (small, full)]
    if widths[0] != widths[1]:
        sizes.insert(0, f"{' + '.join(map(str, widths[0]))} and {' + '.join(map(str, widths[1]))} channels arriving")
    return f"{layer.__name__} with {', '.join(sizes)}"


def _other_constant(layer: type, small: Sized, full: Sized) -> str:
    """The first buffer whose slice is not the smaller one: it is computed from the size."""
    own, stored = (dict(build_layer(layer, one.inputs, one.settings).named_buffers()) for one in (small, full))
    for name, tensor in own.items():
        held = stored.get(name)
        if held is None or held.dim() != tensor.dim():
            return name
        fits = all(a <= b for a, b in zip(tensor.shape, held.shape, strict=True))
        if fits and not torch.equal(cut("", name, held, tensor.shape), tensor):
            return name
    return ""


def _doubled(small: Sized, full: Sized) -> Sized:
    """Twice the small size in whatever differs: then copies fill it evenly."""
    inputs = tuple((2 * s[0], *s[1:]) if s[0] != f[0] else s for s, f in zip(small.inputs, full.inputs, strict=True))
    settings = {
        name: 2 * value if type(value) in (int, float) and full.settings.get(name) != value else full.settings.get(name)
        for name, value in small.settings.items()
    }
    return Sized(inputs, settings)


def _agree(layer: type, small: Sized, full: Sized, rest: Rest, window: Window) -> bool:
    try:
        wanted, given = _outputs(layer, small, full, rest, window)
    except Exception:  # a size that the layer does not take is no proof of anything
        return False
    if wanted.shape[2:] != given.shape[2:]:
        return False
    return apart(wanted, cut("", "output", given, (len(given), *wanted.shape[1:]), window)) <= TOLERANCE


def _outputs(layer: type, small: Sized, full: Sized, rest: Rest, window: Window) -> tuple[Tensor, Tensor]:
    """What the two sizes make of the same images, the small one holding a slice of the full one's weights."""
    sliced, whole = _built(layer, small), _built(layer, full)
    shake(whole)
    own = sliced.state_dict()
    with torch.no_grad():
        for name, tensor in whole.state_dict().items():
            own[name].copy_(cut("", name, tensor, own[name].shape, window))
            if tensor.is_floating_point():
                tensor.zero_()
                _fill(tensor, own[name], range(1), rest, window)
        images = [torch.randn(2, *shape) for shape in small.inputs]
        larger = [torch.zeros(2, *shape) for shape in full.inputs]
        for one, other in zip(larger, images, strict=True):
            _fill(one, other, range(1, 2), rest, window)
        return sliced(*images), whole(*larger)


def _built(layer: type, size: Sized) -> nn.Module:
    return build_layer(layer, size.inputs, size.settings).eval()


def _fill(tensor: Tensor, part: Tensor, dims: Iterable[int], rest: Rest, window: Window) -> None:
    """Put a part in its place; with copies, what lies beyond it in these dimensions repeats it."""
    put(tensor, part, window)
    for d in dims if rest == "copies" and tensor.dim() else ():
        asked, stored = part.shape[d], tensor.shape[d]
        begin = window.start(asked, stored)
        source = [(begin + (i - begin) % stored % asked) % stored for i in range(stored)]
        tensor.copy_(tensor.index_select(d, torch.tensor(source)))
