"""A trained network for images of another size: the same layers with the same weights."""

import torch

from nasengine.errors import ExportError, NasError
from nasengine.interpreters.model import Model
from nasengine.space import Architecture, Space

SHOWN = 3


def resized(model: Model, space: Space) -> Model:
    """A network's architecture and weights in the same space, built for other images; in evaluation mode.

    Raises ExportError where weights belong to one image size, as tables of positions do.
    """
    architecture, size = model.picks, " by ".join(map(str, space.input[1:]))
    assert isinstance(architecture, Architecture)
    try:
        made = Model(space, space.check(architecture.picks))
    except NasError as error:
        told = f"image {size}: the network cannot be built for it: {error}; export it without --image"
        raise ExportError(told) from error
    held, wanted = model.state_dict(), made.state_dict()
    faults = [
        f"{name} is {tuple(held[name].shape)}, {tuple(tensor.shape)} would be needed"
        for name, tensor in wanted.items()
        if name in held and held[name].shape != tensor.shape
    ]
    faults += [f"{name} is in one of the two alone" for name in sorted(held.keys() ^ wanted.keys())]
    if faults:
        more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise ExportError(
            f"image {size}: some weights belong to images of {' by '.join(map(str, model.space.input[1:]))}: "
            f"{'; '.join(faults[:SHOWN])}{more}; export it without --image, or train it for this size: --retrain"
        )
    with torch.no_grad():
        made.load_state_dict(held)
    return made.eval()
