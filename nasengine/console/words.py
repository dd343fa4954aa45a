"""Dotted flags such as `--space.channels 8`: taken out of the words of a command line before they are parsed.

Their names, types and defaults come from signatures (of a space, of a strategy) and from the fields of a recipe, so
whoever owns the signature reads the values, and says what is wrong with them.
"""

import re
from collections.abc import Sequence

from nasengine.errors import NasError, did_you_mean

GROUPS = {
    "space": "space_settings",
    "strategy": "strategy_options",
    "recipe": "recipe_values",
    "supernet": "supernet_values",
    "fidelity": "fidelity",
    "proxy": "proxy_options",
    "data": "data",
}
"""The groups of dotted flags, and the parameter of a command that takes each."""

DOTTED = re.compile(r"--([A-Za-z][\w-]*)\.([A-Za-z][\w.-]*)(?:=(.*))?", re.DOTALL)
Settings = dict[str, str]


def split(words: Sequence[str]) -> tuple[list[str], dict[str, Settings]]:
    """Return the words without dotted flags, and the flags' values by group; a flag without a value means true.

    Raises NasError naming every unknown group and every flag that was given twice.
    """
    plain: list[str] = []
    groups: dict[str, Settings] = {}
    faults: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            plain += [word, *waiting]
            break
        match = DOTTED.fullmatch(word)
        if match is None:
            plain.append(word)
            continue
        group, name, value = match[1], match[2].replace("-", "_"), match[3]
        if value is None:
            value = waiting.pop(0) if waiting and not _is_flag(waiting[0]) else "true"
        faults += _faults(group, name, groups)
        groups.setdefault(group, {})[name] = value
    if faults:
        raise NasError("\n".join(faults))
    return plain, groups


def data_words(words: Sequence[str], options: Settings) -> list[str]:
    """Return the words with the data set's options in its name: `--data pictures --data.size 64` is one text.

    Raises NasError where no data set is named.
    """
    from nasengine.training.data_words import joined

    found = list(words)
    for place, word in enumerate(found):
        name, equals, value = word.partition("=")
        if name == "--data" and equals:
            found[place] = f"--data={joined(value, options)}"
            return found
        if (name == "--data" or (place, word) == (0, "data")) and place + 1 < len(found):
            found[place + 1] = joined(found[place + 1], options)
            return found
    raise NasError(f"--data.{next(iter(options))} came, and no data set; name it too: --data NAME")


def arguments(command: str, groups: dict[str, Settings], taken: Sequence[str]) -> dict[str, Settings]:
    """Return the groups as arguments of a command which takes these parameters; an unwanted group raises NasError."""
    unwanted = [group for group in groups if GROUPS[group] not in taken]
    if unwanted:
        allowed = [f"--{group}.…" for group, parameter in GROUPS.items() if parameter in taken]
        raise NasError(
            f"{command}: --{unwanted[0]}.{next(iter(groups[unwanted[0]]))} came; this command takes "
            f"{' and '.join(allowed) or 'no dotted flags'}"
        )
    return {GROUPS[group]: settings for group, settings in groups.items()}


def _is_flag(word: str) -> bool:
    """Whether a word begins a flag; a negative number does not."""
    return re.match(r"--?[A-Za-z]", word) is not None


def _faults(group: str, name: str, groups: dict[str, Settings]) -> list[str]:
    if group not in GROUPS:
        allowed = ", ".join(f"--{known}.…" for known in GROUPS)
        return [f"--{group}.{name} came; dotted flags are {allowed}.{did_you_mean(group, GROUPS)}"]
    if name in groups.get(group, {}):
        return [f"--{group}.{name} came twice; give it once"]
    return []
