"""A run's model through the commands: text in, rows out, by either engine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from runners.runs.run import run
from runners.runs.workbench import Workbench
from tests import tiny

pytestmark = pytest.mark.slow
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: exports are not checked")


@pytest.fixture(scope="module")
def trained(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    plan = tiny.make_plan(dataset)
    folder = tiny.write_plan(tmp_path_factory.mktemp("models") / "run", plan)
    assert run(folder, Workbench(plan)).status == "complete"
    return folder


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def extract(trained: Path, tmp_path: Path, *more: str) -> tiny.Ended:
    texts = "".join(f"{r['text']}\n" for r in tiny.sentences("test"))
    (tmp_path / "texts.txt").write_text(texts)
    return tiny.command(
        *("extract_relations", trained, "texts.txt", "--pretokenised", "--threads", "1", *more),
        folder=tmp_path,
    )


def test_rows_are_the_runs_predictions_by_either_engine(trained: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(trained, tmp_path / "run")
    ended = extract(folder, tmp_path, "--out", "torch.jsonl")
    assert ended.code == 0, ended.err
    exported = tiny.command("export_model", folder, folder=tmp_path)
    assert exported.code == 0, exported.err
    assert "sentences, tails" in exported.out
    ended = extract(folder, tmp_path, "--out", "onnx.jsonl", "--engine", "onnx")
    assert ended.code == 0, ended.err
    lines = map(json.loads, (trained / "predictions.jsonl").read_text().splitlines())
    expected = [[(p[0], p[1], p[2]) for p in line["predicted"]] for line in lines]
    assert sum(map(len, expected)) > 5
    for name in ("torch.jsonl", "onnx.jsonl"):
        found = [
            [(t["head"]["text"], t["relation"], t["tail"]["text"]) for t in row["triples"]]
            for row in rows(tmp_path / name)
        ]
        assert found == expected, name


def test_what_was_not_exported_is_told(trained: Path, tmp_path: Path) -> None:
    ended = extract(trained, tmp_path, "--out", "rows.jsonl", "--engine", "onnx")
    assert ended.code == 2
    assert "the model was not exported" in ended.err
    assert "export-model" in ended.err


def test_a_precision_names_the_score(trained: Path, tmp_path: Path) -> None:
    ended = extract(trained, tmp_path, "--out", "all.jsonl")
    assert ended.code == 0, ended.err
    ended = extract(trained, tmp_path, "--out", "sure.jsonl", "--min-precision", "0.01")
    assert ended.code == 0, ended.err
    assert len(rows(tmp_path / "sure.jsonl")) == tiny.SIZES["test"]
    config = json.loads((trained / "model" / "config.json").read_text())
    assert config["thresholds"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere", "texts.txt"), "there is no such model"),
        ((".", "texts.txt"), r"is not a model: it has no config.json"),
        (("{run}", "texts.txt", "--language", "xx-none"), "spacy:xx-none"),
        (("{run}", "texts.txt", "--device", "cuda:9"), "there is no device 'cuda:9' here"),
    ],
)
def test_mistakes_have_a_sentence(
    trained: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "texts.txt").write_text("Ada lives in Paris .\n")
    given = [one.replace("{run}", str(trained)) for one in arguments]
    ended = tiny.command("extract_relations", *given, folder=tmp_path)
    assert ended.code == 2, ended
    assert message in " ".join(ended.err.split())
    assert "Traceback" not in ended.err
