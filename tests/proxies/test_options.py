"""Names and options of the scores, refused before anything starts."""

import subprocess
import sys

import pytest

from nasengine.errors import NasError
from nasengine.proxies.options import PROXIES, proxy_options, value_name


def test_defaults_are_filled_in_and_given_ones_kept() -> None:
    assert proxy_options("zen", {"repeats": 4}) == {"batch": 16, "repeats": 4}
    assert proxy_options("synflow", {}) == {}
    assert all(proxy_options(name, PROXIES[name]) == PROXIES[name] for name in PROXIES)


def test_a_name_that_is_not_there_gets_the_nearest() -> None:
    with pytest.raises(NasError, match=r'"sinflow" came; synflow, .* Did you mean "synflow"\?'):
        proxy_options("sinflow", {})


def test_all_faults_of_the_options_come_at_once() -> None:
    with pytest.raises(NasError) as caught:
        proxy_options("zen", {"bach": 3, "repeats": 0})
    assert str(caught.value).splitlines() == [
        'proxy zen: option "bach" came; batch, repeats can be set. Did you mean "batch"?',
        "proxy zen: repeats 0 came; a whole number from 1 up is allowed",
    ]


@pytest.mark.parametrize("value", [1, 2.5, "8", True, float("nan")])
def test_a_batch_is_a_whole_number_of_images(value: object) -> None:
    with pytest.raises(NasError, match="a whole number from 2 up"):
        proxy_options("snip", {"batch": value})


def test_a_score_without_options_says_so() -> None:
    with pytest.raises(NasError, match="it has no options"):
        proxy_options("params", {"batch": 3})


def test_the_regularisation_needs_centre_and_width() -> None:
    with pytest.raises(NasError, match="mu and sigma are given together"):
        proxy_options("swap", {"mu": 40})
    assert proxy_options("swap", {"mu": 40, "sigma": 2.5}) == {"batch": 64, "mu": 40, "sigma": 2.5}


def test_values_are_called_with_underscores() -> None:
    assert value_name("grad-norm") == "grad_norm"


def test_asking_for_options_loads_no_torch() -> None:
    code = "import sys; from nasengine.proxies import proxy_options; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
