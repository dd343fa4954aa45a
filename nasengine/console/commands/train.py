"""The train command with its flags."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DB, PICK, Data, Db, Dotted, Limit, Line, RecipeName, SpaceName


def train(
    *,
    space: SpaceName = "darts",
    architecture: Annotated[str, PICK],
    data: Data = "digits",
    name: Annotated[str | None, Parameter(help="The name to record under; the same name goes on with it.")] = None,
    seeds: Annotated[int, Parameter(help="Train so many times, with seeds from --seed on.")] = 1,
    seed: Annotated[int, Parameter(help="The first seed.")] = 0,
    recipe: RecipeName = None,
    limit: Limit = None,
    db: Db = DB,
    space_settings: Dotted = None,
    recipe_values: Dotted = None,
    line: Line = "",
) -> int:
    """Train one architecture as a final network, measure it once on the test data, and record it.

    A published architecture brings the settings it was published with; --space.channels 16 and the like override.
    """
    from nasengine.console.retraining import train as run

    words = {"name": name, "seeds": seeds, "seed": seed, "limit": limit, "recipe_name": recipe or "final"}
    dotted = {"space_settings": space_settings, "recipe_values": recipe_values}
    return run(space, architecture, data, {**words, **dotted}, db=db, line=line)


COMMANDS = (train,)
