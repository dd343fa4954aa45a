"""What a plan of a supernet takes for granted: of the model, and of the picks it is run with."""

from collections.abc import Mapping
from typing import Any

from nasengine.interpreters.fused.drawing import Drawing
from nasengine.interpreters.fused.values import Join, Mix, Value
from nasengine.interpreters.gated import Opened
from nasengine.interpreters.model import Model
from nasengine.interpreters.shape import Shapes, layer_facts, layer_key, trace
from nasengine.space import Mixture, Space
from nasengine.space.decisions import declared
from nasengine.space.run import settled

Options = Mapping[str, Any]  # of a choice those that are on, with their gates


def fault(model: Model) -> str:
    """Why the walk does not run every layer of a model as it is stored; empty where it does."""
    space = model.space
    if not model.is_supernet:
        return "it is a single network"
    if model.shots > 1:
        return "it has several stores of weights"
    if any(d.of_values and len(d.options) > 1 for n, d in space.decisions.items() if n not in space.recipe_decisions):
        return "it has sizes that are open"
    stored, _ = trace(space, model.picks, asides=True)
    allowed, _ = trace(space, Opened(space))
    tensors = {place: {n: tuple(x.shape) for n, x in layer.state_dict().items()} for place, layer in model.layers()}
    for place, case in allowed.layers.items():
        wanted = layer_facts(place, *case).tensors
        larger = any(shape != wanted.get(name, shape) for name, shape in tensors[place].items())
        if larger or _key(allowed, place) != _key(stored, place):
            return "its layers are stored at other sizes than those that are left"
    return ""


def _key(shapes: Shapes, place: str) -> Any:
    layer, settings, inputs = shapes.layers[place]
    return layer_key(layer, settings, tuple(shape[:1] for shape in inputs))


class Premises:
    """What picks have to answer as they did when the graph was drawn: sizes, and what follows from what is on."""

    def __init__(self, space: Space, drawing: Drawing):
        self.space, self.drawing = space, drawing
        opened = Opened(space)
        self.sizes = {
            name: (choice, opened.value(name, choice))
            for name, (decision, choice) in declared(space.network).items()
            if decision.of_values and name in space.decisions
        }
        self.choices = {value.name: value.choice for value in drawing.values if isinstance(value, Mix)}
        self.derived = settled(space.network, drawing.derived, opened)

    def on(self, picks: Mixture) -> Mapping[str, Options] | None:
        """Of every choice the options that are on; None where the graph does not serve these picks."""
        on = {n: _on(picks.gates(n, choice)) if picks.asked(n) else {} for n, choice in self.choices.items()}
        if any(options.keys() - set(self.space.decisions[n].relaxed) for n, options in on.items()):
            return None
        sizes = all(picks.asked(n) and picks.value(n, choice) == size for n, (choice, size) in self.sizes.items())
        return on if sizes and self._are_derived_alike(picks) else None

    def _are_derived_alike(self, picks: Mixture) -> bool:
        try:
            return not self.derived or settled(self.space.network, self.drawing.derived, picks) == self.derived
        except Exception:  # of a user's own function, about what the walk may never ask
            return False


def live(drawing: Drawing, on: Mapping[str, Options]) -> dict[Value, Options] | None:
    """What leads from the images to something that is read, when these options are on; of choices those that do.

    None where the walk would run parts of the graph, or layers on less than they were made for.
    """
    there = _there(drawing, on)
    if there is None:
        return None
    wanted = {drawing.output}
    for value in reversed(drawing.values):
        if value in wanted:
            if isinstance(value, Mix):
                if not on[value.name]:  # the walk has its own way with a choice of nothing
                    return None
                read = [value.reads[option] for option in on[value.name] if option in value.options]
                wanted.update(x for reads in read for x in reads)
            else:
                wanted.update(value.inputs)
    found = {value: options for value, options in there.items() if value in wanted}
    whole = all(all(x in there for x in v.inputs) for v in found if isinstance(v, Join) and v.kind == "concat")
    return found if whole and drawing.output in found else None


def _there(drawing: Drawing, on: Mapping[str, Options]) -> dict[Value, Options] | None:
    """What something leads to from the images; None where half of what an option of a group reads is there."""
    there: dict[Value, Options] = {drawing.images: {}}
    for value in drawing.values:
        if isinstance(value, Mix):
            leading = {}
            for option, gate in on[value.name].items():
                reads = [x in there for x in value.reads.get(option, ())]
                if reads and all(reads):
                    leading[option] = gate
                elif any(reads):
                    return None
            if leading:
                there[value] = leading
        elif (any if isinstance(value, Join) else all)(x in there for x in value.inputs):
            there[value] = {}
    return there


def _on(gates: Options) -> Options:
    """The options that are run."""
    return {option: g for option, g in gates.items() if g is not None and not (isinstance(g, float) and g == 0.0)}
