"""The commands for what a search left: exact, and free of what is usual anyway."""

from nasengine.commands import called, export_command, search_command, show_command, train_command

SEARCH = {"name": "one", "space": "darts", "data": "digits", "evaluator": "train", "command": "typed", "words": None}
CANDIDATE, FINAL = {"kind": "candidate", "trial": 7}, {"kind": "final", "trial": 2}


def test_trials_are_called_as_they_are_asked_for() -> None:
    assert [called(one) for one in (CANDIDATE, FINAL, {"kind": "supernet", "trial": 0})] == ["7", "final-2", "supernet"]
    assert export_command(SEARCH, FINAL) == "nasengine export final-2 --name one --to one"
    assert show_command(SEARCH, CANDIDATE, "other place.db") == "nasengine show 7 --name one --db 'other place.db'"


def test_an_architecture_is_trained_on_its_own_data() -> None:
    usual = "nasengine train --space darts --architecture one:7 --data digits --seeds 3"
    assert train_command(SEARCH, CANDIDATE) == usual
    larger = train_command(SEARCH, CANDIDATE, "n.db", seeds=5, settings={"channels": 36, "auxiliary": True})
    assert larger.endswith("--space.channels 36 --space.auxiliary true --seeds 5 --db n.db")
    assert "--data digits" in train_command({**SEARCH, "evaluator": "table", "data": "nasbench201"}, CANDIDATE)


def test_a_search_is_told_by_its_words_else_as_it_was_typed() -> None:
    words = {
        "strategy": "evolution", "trials": 9, "limit": 120, "reuse": False, "final_by": "finetune", "stop_by": "loss",
        "objective": ["accuracy", "params<3M"], "space_settings": {"channels": "4", "layers": 3, "auxiliary": False},
        "fidelity": {"share": "0.5"}, "strategy_options": {"sizes": [1, 2]},
    }  # fmt: skip
    assert search_command({**SEARCH, "words": words}) == (
        "nasengine search --strategy evolution --trials 9 --limit 120 --no-reuse --final finetune --stop-by loss "
        "--objective accuracy --objective 'params<3M' --space.channels 4 --space.layers 3 --space.auxiliary false "
        "--fidelity.share 0.5 --strategy.sizes 1,2 --name one"
    )
    assert search_command({**SEARCH, "words": {}}, "n.db") == "nasengine search --name one --db n.db"
    assert search_command(SEARCH) == search_command({**SEARCH, "words": {"data": None}}) == "typed"
