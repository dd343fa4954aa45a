"""Learning curves as one plot for the dashboard."""

import json

from nasengine.ledger.optuna_curves import MOST_CURVES, plot


def test_the_best_curves_by_their_last_value() -> None:
    curves = {f"candidate {number}": {2: number / 100, 1: 0.123456} for number in range(MOST_CURVES + 5)}
    figure = json.loads(plot(curves, "validation_loss", large=False))
    assert len(figure["data"]) == MOST_CURVES
    assert figure["layout"]["title"]["text"] == f"Learning curves, the best {MOST_CURVES} of {MOST_CURVES + 5}"
    assert figure["layout"]["yaxis"]["title"]["text"] == "validation_loss"
    first = figure["data"][0]
    assert (first["name"], first["x"], first["y"]) == ("candidate 0", [1, 2], [0.1235, 0.0])
    assert json.loads(plot(curves, "accuracy", large=True))["data"][0]["name"] == f"candidate {MOST_CURVES + 4}"
