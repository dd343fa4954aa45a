"""The page "Strategies in Ray Tune": its example works as it stands there, and its searcher can be restored."""

import json
import re
import shutil
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tune.md"


@pytest.mark.slow
def test_the_example_searches(ray_cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # unless Ray has read it before
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, object] = {"__name__": "__main__"}
    exec(example, names)
    results, search = names["results"], names["search"]
    values = sorted(one.metrics["accuracy"] for one in results)  # type: ignore[attr-defined]
    assert len(values) == 3 and values[0] >= 0 and values[-1] > 0.3  # three times chance
    told = [result.values["accuracy"] for result in search.told]  # type: ignore[attr-defined]
    assert sorted(told) == values
    folder = Path(results.experiment_path)  # type: ignore[attr-defined]
    (saved,) = folder.glob("searcher-state-*.pkl")
    assert json.loads(saved.read_text()) == search.state()  # type: ignore[attr-defined]
    shutil.rmtree(folder)
