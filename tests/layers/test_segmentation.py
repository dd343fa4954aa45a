import pytest
import torch

from nasengine.layers import PixelClassifier, UpsampleTo


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_a_map_takes_the_size_of_another(mode: str) -> None:
    x, like = torch.tensor([[[[1.0, 3.0]]]]), torch.zeros(1, 5, 1, 4)
    wanted = {"bilinear": [1.0, 1.5, 2.5, 3.0], "nearest": [1.0, 1.0, 3.0, 3.0]}[mode]
    assert UpsampleTo((1, 5), mode=mode)(x, like).flatten().tolist() == wanted


def test_another_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="mode='cubic' came; give bilinear or nearest"):
        UpsampleTo((1, 5), mode="cubic")


def test_every_pixel_gets_a_score_of_every_class() -> None:
    layer = PixelClassifier(6, classes=3).eval()
    assert layer(torch.randn(2, 6, 5, 7)).shape == (2, 3, 5, 7)
