"""The train command with its flags."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DATA_WORDS, DB, PICK, Db, Dotted, Json, Limit, Line, RecipeName


def train(
    *,
    architecture: Annotated[str | None, PICK] = None,
    source: Annotated[str | None, Parameter(name="--from", help="Train the best networks of this search.")] = None,
    top: Annotated[int, Parameter(help="With --from: how many different ones.")] = 3,
    scale: Annotated[
        str, Parameter(help="With --from: as published for the space, or as in the search.")
    ] = "published",
    space: Annotated[str | None, Parameter(help="The space of the architecture; without, darts.")] = None,
    data: Annotated[str | None, Parameter(help=f"{DATA_WORDS} Without, digits, or that of the search.")] = None,
    name: Annotated[
        str | None, Parameter(help="The name to record under, such as SEARCH-retrained; the same name goes on with it.")
    ] = None,
    seeds: Annotated[int | None, Parameter(help="Train so many times, with seeds from --seed on: 1, or 3.")] = None,
    seed: Annotated[int, Parameter(help="The first seed.")] = 0,
    recipe: RecipeName = None,
    limit: Limit = None,
    db: Db = DB,
    json: Json = False,
    space_settings: Dotted = None,
    recipe_values: Dotted = None,
    line: Line = "",
) -> int:
    """Train known architectures as final networks, measure each once on the test data, and record them.

    --architecture takes one, --from the best of a search. A published architecture brings the settings that it was
    published with; --space.channels 16 and the like override. --seeds 3 says how far results of one network differ.
    """
    from nasengine.console.retraining import train as run

    words = {"name": name, "seeds": seeds, "seed": seed, "limit": limit, "recipe_name": recipe}
    dotted = {"space_settings": space_settings, "recipe_values": recipe_values}
    which = {"architecture": architecture, "source": source, "space": space, "top": top, "scale": scale}
    return run(which, data, {**words, **dotted}, db=db, json=json, line=line)


COMMANDS = (train,)
