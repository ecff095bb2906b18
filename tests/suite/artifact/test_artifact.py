"""A run's model: whole, alone, and the same as what was trained."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

from runners.runs.run import run
from runners.runs.workbench import Workbench
from suite.artifact import Artifact
from suite.artifact.facts import thresholds
from suite.errors import SuiteError
from suite.extraction.model import Model
from suite.records.run import read_record
from suite.tasks.examples import Sentence
from suite.tasks.registry import find_task
from tests import tiny

pytestmark = pytest.mark.slow

SYSTEMS = ("fastre", "casrel", "pmei", "tplinker", "relu_net", "prgc", "spn", "grte", "bert_docred")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the dataset's words, and of some that stand nowhere in it."""
    path = tmp_path_factory.mktemp("vectors") / "glove.txt"
    words = [
        *sorted({w for r in tiny.sentences("train") for w in str(r["text"]).split()}),
        "zebra",
        "Quagga",
        "okapi",
    ]
    draw = torch.Generator().manual_seed(0)
    lines = (
        f"{word} {' '.join(f'{x:.4f}' for x in torch.randn(20, generator=draw).tolist())}"
        for word in words
    )
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_dataset(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="module", params=SYSTEMS)
def trained(
    request: pytest.FixtureRequest,
    dataset: Path,
    vectors: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A run's folder, moved away from all that it was made from."""
    name = request.param
    plan = tiny.make_plan(
        dataset, name, vectors=vectors, pretrained="untrained", parser="chain", epochs=3
    )
    folder = tiny.write_plan(tmp_path_factory.mktemp(name) / "run", plan)
    assert run(folder, Workbench(plan)).status == "complete"
    return folder


@pytest.fixture(scope="module")
def first(dataset: Path, vectors: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of FastRE."""
    plan = tiny.make_plan(dataset, vectors=vectors, epochs=1)
    folder = tiny.write_plan(tmp_path_factory.mktemp("first") / "run", plan)
    run(folder, Workbench(plan))
    return folder


@pytest.fixture
def fastre(first: Path, tmp_path: Path) -> Path:
    """The same, to be spoilt."""
    return shutil.copytree(first, tmp_path / "copy")


def sentences(folder: Path) -> list[Sentence]:
    lines = map(json.loads, (folder / "predictions.jsonl").read_text().splitlines())
    return [Sentence(line["id"], tuple(line["text"].split(" "))) for line in lines]


def test_it_predicts_what_its_run_predicted(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its folder alone, in an empty one, with neither cache nor network."""
    shutil.copytree(trained / "model", tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = Model.load("elsewhere", "cpu")
    task, asked = find_task(model.task), sentences(trained)
    found = model.predict(asked)
    lines = map(json.loads, (trained / "predictions.jsonl").read_text().splitlines())
    for sentence, items, line in zip(asked, found, lines, strict=True):
        shown = [[*task.shown(sentence, p.item), round(p.score, 6)] for p in items]
        assert json.loads(json.dumps(shown)) == line["predicted"], sentence.id
    assert not (tmp_path / "cache").exists()


def test_a_run_names_its_model(trained: Path) -> None:
    record = read_record(trained / "record.json")
    model = Model.load(trained, "cpu")
    assert model.digest == record.model
    assert model.facts.system == record.system
    assert model.facts.test == (record.test and record.test.model_copy(update={"slices": {}}))
    assert not (trained / "checkpoint").exists()
    assert not list(trained.rglob("*.pt"))


def test_two_runs_of_a_seed_leave_one_model(
    first: Path, dataset: Path, vectors: Path, tmp_path: Path
) -> None:
    plan = tiny.make_plan(dataset, vectors=vectors, epochs=1)
    folder = tiny.write_plan(tmp_path / "second", plan)
    assert run(folder, Workbench(plan)).model == read_record(first / "record.json").model


def test_words_that_no_split_has_are_known(fastre: Path) -> None:
    system = Artifact.read(fastre / "model").system(CPU)
    embedding = system.encoder.words
    rows = embedding.encode([["zebra", "Zebra", "quagga", "QUAGGA", "nonesuch"]])
    zebra, capital, lower, upper, none = embedding(rows)[0]
    others = embedding.vectors.others
    assert torch.equal(zebra, others.matrix[others.rows["zebra"]].float())
    assert torch.equal(capital, zebra), "lowercased, where the word as written has none"
    assert not lower.any(), "Quagga is another word than quagga"
    assert not upper.any()
    assert not none.any()


def test_the_datasets_words_alone_where_that_is_asked(
    dataset: Path, vectors: Path, tmp_path: Path
) -> None:
    plan = tiny.make_plan(dataset, vectors=vectors, epochs=1, keep_vectors="dataset")
    folder = tiny.write_plan(tmp_path / "run", plan)
    run(folder, Workbench(plan))
    artifact = Artifact.read(folder / "model")
    assert artifact.facts.vectors is not None
    assert artifact.facts.vectors.others == 0
    assert not (folder / "model" / "other-words.safetensors").exists()
    assert artifact.system(CPU).encoder.words.vectors.others is None


def test_models_of_one_vectors_file_share_its_words(first: Path) -> None:
    assert (first / "model" / "other-words.safetensors").stat().st_nlink > 1


def test_the_card_is_one_that_the_hub_reads(trained: Path) -> None:
    text = (trained / "model" / "README.md").read_text()
    _, head, body = text.split("---\n", 2)
    facts = yaml.safe_load(head)
    record = read_record(trained / "record.json")
    assert record.test is not None
    metrics = facts["model-index"][0]["results"][0]["metrics"]
    assert [round(m["value"], 4) for m in metrics] == [
        round(record.test.under(match).f1, 4) for match in find_task("triples").rules
    ]
    for heading in ("## Scores", "## Use", "## Limits", "## Where it is from"):
        assert heading in body
    assert facts["tags"][0] == "relation-extraction"
    assert "| split | F1, partial/surface (%) | F1, exact/surface (%) | gold triples |" in body
    assert "{" not in body
    assert "It finds nothing but: born in, lives in, works in." in body


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def change_format(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "format": 7}))


def rename_system(folder: Path) -> None:
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace('"name": "fastre"', '"name": "slowre"', 1))


def name_a_file_above(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["files"]["../record.json"] = config["files"]["words.txt"]
    (folder / "config.json").write_text(json.dumps(config))


def change_settings(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["system"]["settings"]["width"] = 32
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shutil.rmtree, "there is no such model"),
        (lambda f: (f / "config.json").unlink(), r"is not a model: it has no config\.json"),
        (lambda f: (f / "words.txt").unlink(), r"words\.txt of the model is missing"),
        (lambda f: flip(f / "model.safetensors"), "is damaged"),
        (lambda f: flip(f / "vectors.safetensors"), "is damaged"),
        (lambda f: flip(f / "other-words.safetensors"), "is damaged"),
        (lambda f: os.truncate(f / "model.safetensors", 100), "is damaged"),
        (lambda f: (f / "more.py").write_text(""), r"holds more\.py, which is not of the model"),
        (change_format, "of format 7, and this version reads format 1"),
        (lambda f: (f / "config.json").write_text("{"), "not a model's configuration"),
        (name_a_file_above, r"\.\./record\.json of the model is missing"),
        (rename_system, "unknown system 'slowre'"),
        (change_settings, "its weights are not those of 'fastre' under its settings"),
    ],
)
def test_what_is_not_a_whole_model_is_refused(
    fastre: Path, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(fastre / "model")
    with pytest.raises(SuiteError, match=message) as caught:
        Model.load(fastre / "model", "cpu")
    assert caught.value.remedy


def test_a_run_without_a_model_is_told(fastre: Path) -> None:
    shutil.rmtree(fastre / "model")
    with pytest.raises(SuiteError, match="the run has left no model"):
        Model.load(fastre, "cpu")


def test_another_model_in_the_runs_folder_is_refused(fastre: Path) -> None:
    with pytest.raises(SuiteError, match="where its run left 123456789abc"):
        Artifact.read(fastre / "model", "123456789abc")


def test_no_such_device(fastre: Path) -> None:
    with pytest.raises(SuiteError, match="there is no device 'cuda:7' here"):
        Model.load(fastre, "cuda:7")


def test_thresholds_tell_precision_and_recall_from_a_score_upwards() -> None:
    graded = [(0.9, True), (0.8, True), (0.8, False), (0.7, False), (0.6, True)]
    found = [(t.score, round(t.precision, 3), t.recall) for t in thresholds(graded, gold=4)]
    assert found == [(0.9, 1.0, 0.25), (0.8, 0.667, 0.5), (0.7, 0.5, 0.5), (0.6, 0.6, 0.75)]
    assert thresholds([], 3) == []
    many = [(1 - i / 1000, i % 2 == 0) for i in range(1000)]
    few = thresholds(many, 1000, most=10)
    assert len(few) == 10
    assert few[0].score == 1.0
    assert few[-1].score == many[-1][0]


def test_the_least_score_of_a_precision(fastre: Path) -> None:
    model = Model.load(fastre, "cpu")
    facts = model.facts.model_copy(
        update={"thresholds": tuple(thresholds([(0.9, True), (0.5, True), (0.3, False)], 3))}
    )
    object.__setattr__(model.artifact, "facts", facts)
    assert model.score_for_precision(0.9) == 0.5
    assert model.score_for_precision(0.6) == 0.3
    with pytest.raises(SuiteError, match=r"no score gives a precision of 1\.5"):
        model.score_for_precision(1.5)
