"""Published tables as devices."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from nasengine import plugins
from nasengine.errors import NasError
from nasengine.hardware.figures import Figures, devices, values_of
from nasengine.hardware.published import everywhere, published
from nasengine.search_spaces import nasbench201
from nasengine.space import Architecture, Space

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
DIGITS = "7818488874147327324245"


def write(path: Path, **columns: list[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tables of a few rows, in the form of the published ones."""
    below = tmp_path / "hw_latency"
    write(below / "fbnet_latency_ms.parquet", ops=[DIGITS, "8" * 22], gold_6240=[30.5, 7.25], pixel2=[28.0, 5.0])
    write(
        below / "ofa_mbv3_latency_ms.parquet",
        ksize=["3" * 20, "5" + "3" * 19, "3" * 7 + "7" + "3" * 12],
        expand=["4" * 20, "4" * 20, "4" * 20],
        depth=["22222", "22222", "22222"],
        resolution=[160, 160, 160],
        v100_1=[5.5, 6.5, 9.5],
    )
    monkeypatch.setenv("NASENGINE_TABLES", str(tmp_path))
    return tmp_path


def fbnet(digits: str) -> Architecture:
    names = ["k3_e1", "k3_e1_g2", "k3_e3", "k3_e6", "k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", "skip"]
    return Architecture({f"layer{number}.block": (names[int(digit)],) for number, digit in enumerate(digits, 1)})


def small(name: str, **settings: object) -> Space:
    return plugins.load_space(name, {"input": (3, 32, 32), "classes": 100, **settings})


def mobile(kernel: str = "3") -> Architecture:
    picks = {f"stage{stage}.rest.depth": ("2",) for stage in range(1, 6)}
    for stage in range(1, 6):
        for place in ("first", "rest.0"):
            picks |= {f"stage{stage}.{place}.kernel": ("3",), f"stage{stage}.{place}.expand": ("4",)}
    return Architecture({**picks, "stage1.first.kernel": (kernel,), "resize.resolution": ("160",)})


def test_fbnet_is_found_by_its_digits(own: Path) -> None:
    space = small("fbnet")
    figures = Figures(space, ["latency_ms@gold_6240", "latency_ms@pixel2"])
    architecture = space.check(fbnet(DIGITS).picks)
    assert figures.estimate(architecture) == {"latency_ms@gold_6240": 30.5, "latency_ms@pixel2": 28.0}
    assert figures.measure(architecture) == figures.estimate(architecture)
    assert figures.estimate(fbnet("8" * 22))["latency_ms@gold_6240"] == 7.25
    assert figures.facts()["latency_ms@pixel2"]["published"] == "fbnet_latency_ms.parquet"


def test_a_network_that_is_not_in_the_table_has_no_figure(own: Path) -> None:
    figures = Figures(small("fbnet"), ["latency_ms@pixel2"])
    with pytest.raises(NasError, match=r"device pixel2: fbnet_latency_ms.parquet does not hold .*layer1.block=k3_e1"):
        figures.estimate(fbnet("0" * 22))


def test_blocks_beyond_a_stages_depth_do_not_count(own: Path) -> None:
    space = plugins.load_space("mobile", {"resolutions": (128, 160)})
    figures = Figures(space, ["latency_ms@v100_1"])
    assert figures.estimate(space.check(mobile().picks)) == {"latency_ms@v100_1": 5.5}
    assert figures.estimate(mobile("5")) == {"latency_ms@v100_1": 6.5}
    with pytest.raises(NasError, match="does not hold"):
        figures.estimate(mobile("7"))
    fixed = plugins.load_space("mobile", {"input": (3, 160, 160)})
    without = Architecture({name: kept for name, kept in mobile().picks.items() if name != "resize.resolution"})
    assert Figures(fixed, ["latency_ms@v100_1"]).estimate(without) == {"latency_ms@v100_1": 5.5}


def test_other_images_are_noted_and_other_networks_refused(own: Path) -> None:
    assert "differs" not in published("fbnet")["pixel2"].facts(small("fbnet"))
    other = plugins.load_space("fbnet", {"input": (1, 28, 28), "classes": 10})
    facts = Figures(other, ["latency_ms@pixel2"]).facts()["latency_ms@pixel2"]
    assert "measured on images (3, 32, 32)" in facts["differs"] and "(1, 28, 28)" in facts["differs"]
    with pytest.raises(NasError, match=r"device pixel2: width=0.5 came; fbnet_latency_ms.* with width=1.0"):
        Figures(small("fbnet", width=0.5), ["latency_ms@pixel2"]).estimate(fbnet(DIGITS))


def test_devices_belong_to_spaces(own: Path) -> None:
    assert set(published("fbnet")) == {"gold_6240", "pixel2"} and published("darts") == {}
    assert dict(everywhere())["v100_1"] == "published latency of mobile"
    assert ("pixel2", "published latency of fbnet") in devices()
    with pytest.raises(NasError, match=r"published for space mobile are v100_1\."):
        Figures(plugins.load_space("mobile"), ["latency_ms@pixel2"])


def test_the_published_cells_are_those_of_hw_nas_bench(needs: Callable[[str], Path]) -> None:
    """Li et al. print the first cell's latencies for CIFAR-10: raspi4 10.48, pixel3 3.60585, eyeriss 3.64562."""
    if not (needs("tables") / "hw_latency" / "nb201_latency_ms.parquet").is_file():
        pytest.skip("NASENGINE_TABLES holds no hw_latency/nb201_latency_ms.parquet")
    space = plugins.load_space("nasbench201")
    first = nasbench201.from_string(
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    )
    names = ["latency_ms@hwnb_raspi4", "latency_ms@hwnb_pixel3", "latency_ms@hwnb_eyeriss"]
    found = Figures(space, names).estimate(first)
    assert list(found.values()) == pytest.approx([10.481976, 3.60585, 3.64562], rel=1e-4)
    assert Figures(space, names).estimate(space.sample(Random(0)))["latency_ms@hwnb_raspi4"] > 0
    if "pi5_onnx_cifar100" in published("nasbench201"):
        both = values_of(space, "pi5_onnx_cifar100")
        assert both == ["latency_ms@pi5_onnx_cifar100", "energy_mj@pi5_onnx_cifar100"]
        assert Figures(space, both).estimate(first) == {
            name: pytest.approx(value, rel=1e-4) for name, value in zip(both, (1.830505, 2.631512), strict=True)
        }
        with pytest.raises(NasError, match='device "pixel_litert_darcy" of energy_mj'):
            Figures(space, ["energy_mj@pixel_litert_darcy"])
