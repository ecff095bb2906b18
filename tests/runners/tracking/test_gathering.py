"""`python -m runners.tracking`: a user's mistake is told in a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.tracking.__main__ import main


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("mlflow", reason="mlflow is not installed")
    with pytest.raises(SystemExit, match=r"gone: is no folder\. Name the --out") as ended:
        main(["mlflow", str(tmp_path / "gone")])
    assert str(ended.value).startswith("error: ")


def test_a_tracker_that_gathers_nothing_takes_any_folder(tmp_path: Path) -> None:
    main(["none", str(tmp_path)])
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_gathered_is_told(tmp_path: Path) -> None:
    pytest.importorskip("mlflow", reason="mlflow is not installed")
    store = tmp_path / "runs" / "one" / "mlflow" / "mlflow.db"
    store.parent.mkdir(parents=True)
    store.write_bytes(b"no database")
    with pytest.raises(SystemExit, match="MLflow does not show the runs of"):
        main(["mlflow", str(tmp_path)])
