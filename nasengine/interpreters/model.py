"""The network itself: one class for the supernet of a space and for every single architecture of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, Literal

import torch
from torch import Tensor, nn

from nasengine.errors import SpaceError
from nasengine.interpreters.shape import Shapes, build, trace
from nasengine.interpreters.slicing import LEADING, Window, dress_of
from nasengine.interpreters.store import stores
from nasengine.interpreters.stored import Sized, Stored, slots
from nasengine.space import EVERYTHING, Architecture, Choice, Picks, Space, run


class _Place(nn.Module):
    """A step of a place's dotted name; holds the modules below it under any name."""


class Model(nn.Module):
    """The network of one architecture or, given EVERYTHING, the supernet of every architecture in a space.

    State-dict names are place + parameter name, the same in a supernet and in the networks inherited from it.
    A layer asked for at a smaller size than the supernet holds is rebuilt with those settings and run on views
    of the stored tensors: leading channels, central kernel window. Picks in a `Dressed` take other channels.

    shots: how many stores of weights there are; a network's are their mean, weighted as its `Dressed` picks say
        (K-shot NAS, Su et al., 2021, https://arxiv.org/abs/2106.06442). The further ones are named `shots.1.…`
    kernels: whether smaller kernels are the middle of the stored one ("crop"), or that times a learnt matrix
        ("transform", see KernelTransform), named `transforms.…`
    """

    def __init__(
        self,
        space: Space,
        picks: Picks = EVERYTHING,
        *,
        shots: int = 1,
        kernels: Literal["crop", "transform"] = "crop",
    ):
        super().__init__()
        shapes, _ = trace(space, picks, asides=True)
        self.space, self.picks, self.shots = space, picks, shots
        self.is_supernet = not isinstance(picks, Architecture)
        transform = kernels == "transform"
        _refuse(space, shots, self.is_supernet or (shots == 1 and not transform))
        self._layers: dict[str, nn.Module] = {}
        self._whole: dict[Any, nn.Module] = {}  # by place, widths arriving and settings: layers that run as they are
        self._sized: dict[Any, Sized] = {}  # those that run on a part
        for place, (layer, settings, inputs) in shapes.layers.items():
            _refuse_names(place, shots > 1, transform)
            self._layers[place] = build(layer, inputs, settings)
            _hang(self, place, self._layers[place])
            self._whole[_key(place, layer, [shape[0] for shape in inputs], settings)] = self._layers[place]
        self._stored: dict[str, Stored] = {}
        if self.is_supernet:
            self._store(shapes, transform)

    def _store(self, shapes: Shapes, transform: bool) -> None:
        """Make the layers as large as any network needs them, and hang what else is stored beside them."""
        self._stored = stores(self.space, self.picks, shapes, self._layers, self.shots, transform)
        self._whole = {key: layer for key, layer in self._whole.items() if self._stored[key[0]].runs_whole}
        for place, stored in self._stored.items():
            for k, layer in enumerate(stored.layers[1:], 1):
                _hang(self, f"shots.{k}.{place}", layer)
            for name, kernel in stored.kernels.items():
                _hang(self, f"transforms.{place}.{name}", kernel)

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

        `dressed` says which window of the channels is cut out and how stores are mixed: by default the leading
        channels of the one store. Kernels are transformed for good. Batch statistics are those of the supernet:
        estimate them anew before it is used or exported.
        """
        child = Model(self.space, architecture)
        window, shots = self._dress(architecture if dressed is None else dressed)
        with torch.no_grad():
            for place, layer in child.layers():
                for slot in slots(layer):
                    own = slot.tensor()
                    own.data = self._part(place, slot.name, own.shape, window, shots).detach().clone()
        return child.train(self.training)

    def _part(self, place: str, name: str, shape: Sequence[int], window: Window, shots: Tensor | None) -> Tensor:
        if self.is_supernet:
            return self._stored[place].part(name, shape, window, shots)
        return next(slot.tensor() for slot in slots(self._layers[place]) if slot.name == name)

    def _dress(self, picks: Picks) -> tuple[Window, Tensor | None]:
        """The window and the weights of the stores; None where there is one store, which is used as it is."""
        window, shots = dress_of(picks)
        if (1 if shots is None else len(shots)) != self.shots:
            came = "no weights for them" if shots is None else f"weights for {len(shots)}"
            raise SpaceError(
                f"supernet of {self.space.name}: it has {self.shots} stores of weights, and picks came with {came}; "
                f"pass Dressed(picks, shots=…) with {self.shots} numbers that add up to one"
            )
        return window, shots if self.shots > 1 else None

    def at(
        self,
        place: str,
        layer: type,
        settings: Mapping[str, Any],
        inputs: tuple[Tensor, ...],
        window: Window = LEADING,
        shots: Tensor | None = None,
    ) -> Tensor:
        """Run the layer that stands at a place, with these settings, on these inputs."""
        if not self.is_supernet:
            alone: Tensor = self._layers[place](*inputs)
            return alone
        key = _key(place, layer, [x.shape[1] for x in inputs], settings)
        whole = self._whole.get(key)
        if whole is not None:
            output: Tensor = whole(*inputs)
            return output
        if window != LEADING and (reason := getattr(layer, "leading_only", "")):
            raise SpaceError(
                f"{place}: {layer.__name__} came with a window of other channels than the leading ones, from which it "
                f"cannot be cut ({reason}); use LEADING in this space, or another layer"
            )
        if key not in self._sized:
            if place not in self._layers:
                raise SpaceError(f"{place}: these picks run a layer that the supernet does not hold")
            with torch.device("meta"):
                sized = build(layer, [tuple(x.shape[1:]) for x in inputs], settings)
            self._sized[key] = Sized(sized, self._stored[place])
        return self._sized[key](inputs, window, shots)


def _refuse(space: Space, shots: int, allowed: bool) -> None:
    if shots < 1:
        raise SpaceError(f"supernet of {space.name}: shots came as {shots}; there is one store of weights or more")
    if not allowed:
        raise SpaceError(
            f"network of {space.name}: shots and kernels came for a single architecture; they are a supernet's, "
            "Model(space, …), from which networks inherit"
        )


def _refuse_names(place: str, shots: bool, transforms: bool) -> None:
    """Torch would write its own flag over a layer called "training"; further stores and transforms hang beside."""
    first, *further = place.split(".")
    if "training" in (first, *further):
        raise SpaceError(f'{place}: a step or option is called "training", a name torch needs; call it otherwise')
    if (shots and first == "shots") or (transforms and first == "transforms"):
        raise SpaceError(f'{place}: a step is called "{first}", which names weights of the supernet; call it otherwise')


def _hang(model: nn.Module, place: str, layer: nn.Module) -> None:
    """Make a layer a part of the model under a dotted name."""
    *path, last = place.split(".")
    for part in path:
        inner = model._modules.setdefault(part, _Place())
        assert inner is not None
        model = inner
    model._modules[last] = layer


def _key(place: str, layer: type, widths: Sequence[int], settings: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells the sizes of a layer apart; a training-only one serves every width, so that its rate can be set."""
    return (place, *(() if getattr(layer, "training_only", False) else widths), *settings.items())


class _Forward:
    """The interpreter that runs a model: values are tensors."""

    def __init__(self, model: Model, picks: Picks):
        self.model = model
        self.window, self.shots = model._dress(picks)

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[Tensor, ...]) -> Tensor:
        return self.model.at(place, layer, settings, inputs, self.window, self.shots)

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
