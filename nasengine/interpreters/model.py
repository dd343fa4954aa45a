"""The network itself: one class for the supernet of a space and for every single architecture of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from nasengine.errors import SpaceError
from nasengine.interpreters.shape import build, trace
from nasengine.interpreters.slicing import LEADING, Window, cut, dress_of, put
from nasengine.interpreters.store import enlarge, largest
from nasengine.space import EVERYTHING, Architecture, Choice, Picks, Space, run


class _Place(nn.Module):
    """A step of a place's dotted name; holds the modules below it under any name."""


class Model(nn.Module):
    """The network of one architecture or, given EVERYTHING, the supernet of every architecture in a space.

    State-dict names are place + parameter name, the same in a supernet and in the networks inherited from it.
    A layer asked for at a smaller size than the supernet holds is rebuilt with those settings and run on views
    of the stored tensors: leading channels, central kernel window.
    """

    def __init__(self, space: Space, picks: Picks = EVERYTHING):
        super().__init__()
        shapes, _ = trace(space, picks, asides=True)
        self.space, self.picks = space, picks
        self.is_supernet = not isinstance(picks, Architecture)
        self._layers: dict[str, nn.Module] = {}
        self._sized: dict[Any, nn.Module] = {}  # by place, widths arriving and settings
        for place, (layer, settings, inputs) in shapes.layers.items():
            self._put(place, build(layer, inputs, settings))
            self._sized[_key(place, layer, [shape[0] for shape in inputs], settings)] = self._layers[place]
        if self.is_supernet:
            for place, sizes in largest(space, picks, shapes).items():
                self._sized = {key: full for key, full in self._sized.items() if key[0] != place}
                enlarge(self._layers[place], sizes)

    def _put(self, place: str, layer: nn.Module) -> None:
        *path, last = place.split(".")
        if "training" in (*path, last):  # torch would write its own flag of that name over the layer
            raise SpaceError(f'{place}: a step or option is called "training", a name torch needs; call it otherwise')
        owner: nn.Module = self
        for part in path:
            owner._modules.setdefault(part, _Place())
            inner = owner._modules[part]
            assert inner is not None
            owner = inner
        owner._modules[last] = layer
        self._layers[place] = layer

    def layers(self) -> Iterator[tuple[str, nn.Module]]:
        """Every layer with its place."""
        yield from self._layers.items()

    def forward(self, x: Tensor, picks: Picks | None = None) -> Tensor:
        """(batch, channels, height, width) to (batch, classes); a supernet needs picks, which say what to run."""
        chosen = self._chosen(picks)
        output: Tensor = run(self.space.network, (x,), chosen, _Forward(self, chosen))
        return output

    def forward_with_asides(self, x: Tensor, picks: Picks | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """The output, and what each aside (a branch for the loss alone) gave by its name."""
        chosen = self._chosen(picks)
        by = _ForwardWithAsides(self, chosen)
        return run(self.space.network, (x,), chosen, by), by.asides

    def _chosen(self, picks: Picks | None) -> Picks:
        if self.is_supernet and picks is None:
            raise SpaceError(
                f"supernet of {self.space.name}: forward came without picks; "
                "pass an architecture or a mixture: model(x, picks)"
            )
        if not self.is_supernet and picks not in (None, self.picks):
            raise SpaceError(
                f"network of {self.space.name}: forward came with the picks of another architecture; "
                "only a supernet, Model(space), runs several"
            )
        return self.picks if picks is None else picks

    def inherit(self, architecture: Architecture, dressed: Picks | None = None) -> "Model":
        """The smaller network of an architecture with this supernet's weights, on the same device.

        `dressed` says which window of the channels is cut out: the leading ones, if it is not given. Batch statistics
        are those of the supernet: estimate them anew before it is used or exported.
        """
        child, (window, _) = Model(self.space, architecture), dress_of(dressed)
        with torch.no_grad():
            for place, layer in child.layers():
                for name, view in _views(place, self._layers[place], layer, window).items():
                    _tensors(layer)[name].data = view.detach().clone()
        return child.train(self.training)

    def at(
        self,
        place: str,
        layer: type,
        settings: Mapping[str, Any],
        inputs: tuple[Tensor, ...],
        window: Window = LEADING,
    ) -> Tensor:
        """Run the layer that stands at a place, with these settings, on these inputs."""
        if not self.is_supernet:
            return self._layers[place](*inputs)
        key = _key(place, layer, [x.shape[1] for x in inputs], settings)
        if key not in self._sized:
            if place not in self._layers:
                raise SpaceError(f"{place}: these picks run a layer that the supernet does not hold")
            with torch.device("meta"):
                self._sized[key] = build(layer, [tuple(x.shape[1:]) for x in inputs], settings)
        sized, full = self._sized[key], self._layers[place]
        if sized is full:
            return full(*inputs)
        _take_modes(sized, full)
        views = _views(place, full, sized, window)
        output: Tensor = functional_call(sized, views, inputs)
        if self.training:
            for name, buffer in full.named_buffers():  # a copy's statistics go back to where they are stored
                if not views[name]._is_view() and views[name] is not buffer:
                    put(buffer, views[name], window)
        return output


def _key(place: str, layer: type, widths: Sequence[int], settings: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells the sizes of a layer apart; a training-only one serves every width, so that its rate can be set."""
    return (place, *(() if getattr(layer, "training_only", False) else widths), *settings.items())


def _take_modes(sized: nn.Module, full: nn.Module) -> None:
    """Train or evaluate part by part as the stored layer does: dropout may rest in it while norms learn."""
    modes = {name: part.training for name, part in full.named_modules()}
    for name, part in sized.named_modules():
        part.training = modes.get(name, full.training)


class _Forward:
    """The interpreter that runs a model: values are tensors."""

    def __init__(self, model: Model, picks: Picks):
        self.model = model
        self.window, _ = dress_of(picks)

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[Tensor, ...]) -> Tensor:
        return self.model.at(place, layer, settings, inputs, self.window)

    def add(self, place: str, values: Sequence[Tensor]) -> Tensor:
        return reduce(torch.add, values)

    def concat(self, place: str, values: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(values), dim=1)

    def mix(self, name: str, choice: Choice, on: Mapping[str, tuple[Any, Tensor]]) -> Tensor:
        return reduce(torch.add, [x if isinstance(g, float) and g == 1.0 else g * x for g, x in on.values()])


class _ForwardWithAsides(_Forward):
    def __init__(self, model: Model, picks: Picks):
        super().__init__(model, picks)
        self.asides: dict[str, Tensor] = {}

    def aside(self, name: str, place: str, branch: Callable[[], Tensor]) -> None:
        self.asides[name] = branch()


def _tensors(layer: nn.Module) -> dict[str, Tensor]:
    return {**dict(layer.named_parameters()), **dict(layer.named_buffers())}


def _views(place: str, full: nn.Module, sized: nn.Module, window: Window) -> dict[str, Tensor]:
    """The part of each stored tensor that the smaller layer uses."""
    stored = _tensors(full)
    return {name: cut(place, name, stored[name], tensor.shape, window) for name, tensor in _tensors(sized).items()}
