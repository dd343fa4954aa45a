"""Lists of spaces and strategies, and the settings that one of them takes."""

import typing
from typing import Any

from nasengine import plugins
from nasengine.console.output import emit, say, table
from nasengine.settings import REQUIRED, Setting


def plug_ins(kind: str, json: bool) -> None:
    """List the spaces or strategies with the first sentence of each; nothing is imported for it."""
    found = plugins.listing(kind)
    if json:
        emit([{"name": name, "text": text} for name, text in found])
        return
    table([kind, "what it is"], found)


def settings(kind: str, name: str, json: bool) -> None:
    """Show the settings of a space or a strategy, as dotted flags."""
    found = plugins.signature(kind, name)
    text = dict(plugins.listing(kind)).get(plugins.find(kind, name).stem.replace("_", "-"), "")
    if json:
        emit({"name": name, "text": text, "settings": [as_json(setting) for setting in found]})
        return
    if text:
        say(f"{name}: {text}\n")
    if found:
        table(["flag", "type", "default", "meaning"], [_row(kind, setting) for setting in found])
    else:
        say(f"{kind} {name} takes no settings.")


def as_json(setting: Setting) -> dict[str, Any]:
    """A setting in plain words."""
    required = setting.default is REQUIRED
    default = setting.default if isinstance(setting.default, int | float | str | list | tuple) else None
    return {
        "name": setting.name,
        "type": type_words(setting.type),
        "default": None if required else default,
        "required": required,
        "text": setting.doc,
    }


def _row(kind: str, setting: Setting) -> tuple[str, str, str, str]:
    default = "(must be given)" if setting.default is REQUIRED else _plain(setting.default)
    return f"--{kind}.{setting.name}", type_words(setting.type), default, setting.doc


def type_words(kind: Any) -> str:
    """A type as it reads in a signature; for a Literal what it allows."""
    if typing.get_origin(kind) is typing.Literal:
        return " | ".join(map(str, typing.get_args(kind)))
    words = kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
    return words.replace("typing.", "").replace("NoneType", "none")


def _plain(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)
