"""Digests from a process of their own; started as a module, fed by OtherPython.

Each line that comes in is JSON: {"space": name, path or module, "settings": {…}, "architectures": [picks, …]}.
"""

import json
import sys

from nasengine.interpreters.digest import digest
from nasengine.plugins import load_space
from nasengine.space import Architecture


def main() -> None:
    """Answer each line with a line of JSON: the digests, or what went wrong as text."""
    for line in sys.stdin:
        try:
            asked = json.loads(line)
            space = load_space(asked["space"], asked["settings"])
            answer: object = [digest(space, Architecture.from_json(picks)) for picks in asked["architectures"]]
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
