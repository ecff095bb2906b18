"""What docs/python.md shows, and the notebook, are carried out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.test_docs import ROOT, blocks

pytestmark = pytest.mark.slow


def test_its_blocks_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.write_dataset(tmp_path / "my-data")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks("python", [(ROOT / "docs" / "python.md").read_text()]):
        exec(block, names)
    run, scores, frames = names["run"], names["scores"], names["frames"]
    assert scores.exact == run.record.test.exact
    assert scores.partial == run.record.test.partial
    assert frames.runs["test_exact_f1"].tolist() == [run.record.test.exact.f1]
    assert len(frames.epochs) == run.record.training.epochs
    assert frames.operating.empty
    (row,) = names["rows"]
    assert (row["id"], row["record"]) == ("1", 1)
    assert "error" not in row
    for triple in row["triples"]:
        head = triple["head"]
        assert "Ada lives in Paris, at 12 Main Street."[head["start"] : head["end"]] == head["text"]
    assert capsys.readouterr().out


def test_the_notebook_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed: no notebook run")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: no notebook run")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("MPLBACKEND", "agg")
    notebook = nbformat.read(ROOT / "docs" / "first-steps.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
    *_, trained, found, _ = (cell for cell in notebook.cells if cell.cell_type == "code")
    score = trained.outputs[-1]["data"]["text/plain"]
    assert float(score.strip("'").split()[2]) > 60, score
    assert "Emmy Noether lives_in Vienna" in found.outputs[0]["text"]


def test_the_notebook_is_kept_without_outputs() -> None:
    kept = json.loads((ROOT / "docs" / "first-steps.ipynb").read_text())
    assert all(not cell.get("outputs") for cell in kept["cells"])
