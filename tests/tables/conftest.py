"""A small table of a small space, as files."""

from collections.abc import Callable
from pathlib import Path

import pytest

SPACE = '''"""Two choices, the second asked only after conv."""
from nasengine.layers import Classifier, ConvNorm, Identity
from nasengine.space import Space, chain, choose, op

def space(input=(1, 8, 8), classes=10):
    """A block and a head."""
    conv = op(ConvNorm, width=4, kernel=choose("kernel", 3, 5))
    return Space("block", input=input, network=chain(
        block=choose("op", conv=conv, none=op(Identity)), head=op(Classifier, classes=classes)))
'''
SPELLING = """
from nasengine.space import Architecture

WORDS = {"c3": {"block.op": ("conv",), "block.conv.kernel": ("3",)}, "n": {"block.op": ("none",)},
         "c5": {"block.op": ("conv",), "block.conv.kernel": ("5",)}}
"""
READS = """
def from_string(text):
    return Architecture(WORDS[text])
"""
WRITES = """
def to_string(architecture):
    return next(word for word, picks in WORDS.items() if Architecture(picks) == architecture)
"""
ROWS = ("arch,op,kernel,val,test", "c3,conv,3,0.5,0.4", "c5,conv,5,0.7,0.6", "n,none,,0.1,0.2")
MAPPING = """
space = "./block.py"
architecture = "arch"
[values]
validation_accuracy = "val"
test_accuracy = "test"
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(rows, mapping, space)` writes the three files and returns the table's."""

    def files(
        rows: tuple[str, ...] = ROWS, mapping: str = MAPPING, space: str = SPACE + SPELLING + READS + WRITES
    ) -> Path:
        (tmp_path / "block.py").write_text(space)
        (tmp_path / "block.toml").write_text(mapping)
        (tmp_path / "block.csv").write_text("\n".join(rows) + "\n")
        return tmp_path / "block.csv"

    return files
