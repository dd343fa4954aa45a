"""The export command with its flags."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DB, Db, Dotted, Json, Line, RecipeName, SearchName, Which


def export(
    trial: Which,
    /,
    *,
    to: Annotated[str, Parameter(help="The folder to write into.")],
    format: Annotated[
        str, Parameter(help="With commas between: source, safetensors, onnx, pt2, openvino, executorch.")
    ] = "source,safetensors",
    batch: Annotated[str, Parameter(help="dynamic, or how many images the traced formats take at once.")] = "dynamic",
    image: Annotated[int | None, Parameter(help="Export for images of so many pixels a side.")] = None,
    retrain: Annotated[
        bool, Parameter(help="Train the architecture anew first, with --space.channels 36, --recipe.epochs 600, ….")
    ] = False,
    recipe: RecipeName = None,
    data: Annotated[str | None, Parameter(help="Where the data is now; without, where it was.")] = None,
    name: SearchName = None,
    db: Db = DB,
    json: Json = False,
    space_settings: Dotted = None,
    recipe_values: Dotted = None,
    line: Line = "",
) -> int:
    """Write a network as a folder, load every format again, and compare it with the network.

    Differences and the accuracy on held-out images, before and after, are printed and go into the folder's card. Where
    a format is not the network any more the exit code is 1 and the folder stays as it was.
    """
    from nasengine.console.exporting import Wanted
    from nasengine.console.exporting import export as write

    anew = {"recipe_name": recipe, "recipe_values": recipe_values, "space_settings": space_settings}
    wanted = Wanted(to, format, batch, image, data, retrain, {word: one for word, one in anew.items() if one})
    return write(trial, name, db, wanted, json, line)


COMMANDS = (export,)
