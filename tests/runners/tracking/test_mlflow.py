"""Stores of MLflow: of runs, gathered into one that `mlflow ui` can open."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.runners.tracking.tracked import a_record, an_answer, an_epoch, start

RUNS = "runs/fastre/toy"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store: to make one takes MLflow seconds."""
    from runners.tracking.mlflow_store import Store

    folder = tmp_path_factory.mktemp("empty") / "mlflow"
    Store(folder).close()
    return folder


def in_order(store: Any, run: Any, name: str) -> list[tuple[int, float]]:
    return [(p.step, p.value) for p in store.client.get_metric_history(run.info.run_id, name)]


def only(store: Any) -> Any:
    found = [
        run
        for experiment in store.client.search_experiments()
        for run in store.found(experiment.experiment_id)
    ]
    assert len(found) == 1
    return found[0]


def test_a_run_that_is_trained_again_is_a_run_anew(
    tmp_path: Path, empty: Path, warnings: list[str]
) -> None:
    from runners.tracking.mlflow_store import Store

    shutil.copytree(empty, tmp_path / "mlflow")
    first = start(tmp_path, warnings, tracker="mlflow")
    for number in (1, 2):
        first.log(an_epoch(number))
    slower = start(tmp_path, warnings, tracker="mlflow")
    slower.log(an_epoch(1).model_copy(update={"seconds": 9.0}))
    slower.finish(failed=True)
    assert warnings == []
    store = Store(tmp_path / "mlflow")
    run = only(store)
    assert in_order(store, run, "seconds") == [(10, 9.0)]
    assert run.info.status == "FAILED"


def test_names_that_mlflow_refuses_are_made_fit() -> None:
    from runners.tracking.mlflow_store import fit

    assert fit("test/relation//people/person/born, in") == "test/relation/people/person/born_ in"
    assert fit("dev/partial/f1") == "dev/partial/f1"
    assert fit("../a/./b") == "a/b"
    assert fit("test/关系") == "test/__"


def test_gathering_adds_what_is_new_and_keeps_ids(
    tmp_path: Path, empty: Path, warnings: list[str]
) -> None:
    from runners.tracking.mlflow_store import Store, gather

    gather(tmp_path)
    assert list(tmp_path.iterdir()) == [], "there was nothing to gather"
    for seed in (1, 2):
        folder = tmp_path / RUNS / str(seed)
        shutil.copytree(empty, folder / "mlflow")
        run = start(folder, warnings, tracker="mlflow", config={"seed": seed}, name=f"run-{seed}")
        run.log(an_epoch(1))
        if seed == 1:
            run.tabulate([an_answer()])
            run.summarise(a_record())
            run.finish(failed=False)
    shutil.copytree(empty, tmp_path / "mlflow")
    gather(tmp_path)
    run.log(an_epoch(2))
    run.finish(failed=True)
    gather(tmp_path)
    gather(tmp_path)

    assert warnings == []
    store = Store(tmp_path / "mlflow")
    (experiment,) = (e for e in store.client.search_experiments() if e.name == "quick")
    one, two = sorted(store.found(experiment.experiment_id), key=lambda r: r.info.run_name)
    assert [one.info.status, two.info.status] == ["FINISHED", "FAILED"]
    assert in_order(store, one, "epoch") == [(10, 1.0)]
    assert in_order(store, two, "epoch") == [(10, 1.0), (20, 2.0)]
    assert one.data.params == {"seed": "1"}
    assert one.data.tags["device"] == "cpu"
    assert one.data.metrics["test/overlap/EPO/recall"] == 20 / 250
    assert one.data.metrics["selected/dev/exact/precision"] == 80 / 200
    assert one.data.tags["inference/128/failure"] == "out of memory"
    table = json.loads((store.files_of(one) / "test_answers.json").read_text())
    assert table["data"] == [["test/7", 2, 1, 1, 0]]


def test_a_damaged_store_warns_once(tmp_path: Path, warnings: list[str]) -> None:
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow" / "mlflow.db").write_bytes(b"no database" * 500)
    run = start(tmp_path, warnings, tracker="mlflow")
    run.log(an_epoch(1))
    run.finish(failed=False)
    assert len(warnings) == 1
    assert warnings[0].startswith("MLflow does not track this run: ")
    assert "not a database" in warnings[0]
