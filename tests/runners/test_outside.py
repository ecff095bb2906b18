"""Predictions that are brought in from outside stand beside runs, scored as they are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from runners.outside import bring_in, score_file
from suite.datasets import Dataset, load_dataset
from suite.errors import SuiteError
from suite.records.outside import OutsideRecord
from suite.records.run import RunRecord, read_record
from suite.tasks.competition import competition_entries
from tests import tiny
from tests.given_runs import as_casrel, gazetteer, run_on, with_mistakes, write_out
from tests.reports.markdown import rows, section


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_dataset(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="module")
def loaded(data: Path) -> Dataset:
    return load_dataset(str(data))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, data: Path, loaded: Dataset) -> Path:
    """A run on the tiny dataset and runs on the synthetic ones of other tasks; for copies."""
    out = tmp_path_factory.mktemp("kept") / "out"
    others = [(name, load_dataset(name)) for name in ("synthetic-documents", "synthetic-spans")]
    write_out(out, (str(data), loaded), *others)
    return out


@pytest.fixture
def out(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "out"))


@pytest.fixture
def alone(tmp_path: Path, data: Path, loaded: Dataset) -> Path:
    """An output folder with the tiny dataset alone."""
    write_out(tmp_path / "alone", (str(data), loaded))
    return tmp_path / "alone"


def run_of(out: Path, dataset: str) -> tuple[RunRecord, Path]:
    folder = out / "runs" / "fastre" / dataset / "0"
    return read_record(folder / "record.json"), folder / "predictions.jsonl"


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return path


@pytest.mark.parametrize("dataset", ["tiny", "synthetic-documents", "synthetic-spans"])
def test_a_runs_own_predictions_get_its_own_scores(out: Path, dataset: str) -> None:
    run, predictions = run_of(out, dataset)
    (record,) = bring_in(out, [f"again={predictions}"], [], None)
    assert record.dataset == run.dataset
    assert run.test is not None
    assert 0 < run.test.exact.f1 < 1, "or else all might be equal for another reason"
    assert record.test.partial == run.test.partial
    assert record.test.exact == run.test.exact
    assert record.test.slices == run.test.slices
    assert record.brought.missing == record.brought.unplaced == record.brought.other_gold == 0
    brought = out / "outside" / "again" / dataset / "0" / "predictions.jsonl"
    assert brought.read_bytes() == predictions.read_bytes()


def test_what_casrels_code_writes_gets_the_runs_own_scores(alone: Path, tmp_path: Path) -> None:
    run, predictions = run_of(alone, "tiny")
    file = tmp_path / "results.json"
    file.write_text(as_casrel(predictions.read_text()))
    (record,) = bring_in(alone, [f"casrel={file}"], [], None)
    assert record.form == "CasRel's results"
    assert record.test == run.test


@pytest.mark.slow
def test_a_trained_run_gets_its_own_scores(data: Path, loaded: Dataset, tmp_path: Path) -> None:
    plan = tiny.make_plan(data, learning_rate=3e-2, epochs=8)
    folder = tiny.write_plan(tmp_path / "run", plan)
    ended = tiny.forked(tiny.train, folder, folder=tmp_path)
    assert ended.code == 0, ended.err
    run = read_record(folder / "record.json")
    assert run.test is not None
    assert run.test.partial.predicted
    own = folder / "predictions.jsonl"
    casrel = tmp_path / "casrel.json"
    casrel.write_text(as_casrel(own.read_text()))
    assert score_file(loaded, own).test == score_file(loaded, casrel).test == run.test


def test_docreds_result_gets_the_runs_own_scores(out: Path, tmp_path: Path) -> None:
    dataset = load_dataset("synthetic-documents")
    entries = competition_entries(dataset.test.examples, with_mistakes(dataset))  # type: ignore[arg-type]
    file = tmp_path / "result.json"
    file.write_text(json.dumps(entries))
    run, _ = run_of(out, dataset.name)
    (record,) = bring_in(out, [f"docs={file}"], [], None)
    assert record.dataset.name == dataset.name, "the only one whose task has such items"
    assert run.test is not None
    assert (record.test.exact, record.test.slices) == (run.test.exact, run.test.slices)
    assert record.brought.silent


def test_columns_get_the_runs_own_scores(tmp_path: Path) -> None:
    from suite.tasks.entities import Entity

    text = "Ada NNP B-PER\nLovelace NNP I-PER\nlives VBZ O\nin IN O\nRome NNP B-LOC\n\nOh UH O\n\n"
    data = tmp_path / "flat"
    data.mkdir()
    for split in ("train", "dev", "test"):
        (data / f"{split}.conll").write_text(text + f"{split} NN O\n\n")
    dataset = load_dataset(str(data))
    gold = dataset.test.examples[0].entities  # type: ignore[union-attr]
    _, wrong = Entity(gold[0].span, "LOC"), gold[1]
    predicted = tmp_path / "conlleval.txt"
    tags = ["B-LOC", "I-LOC", "O", "O", "B-LOC"]
    body = text.splitlines()
    predicted.write_text("\n".join(f"{a} {b}" for a, b in zip(body, tags, strict=False)) + "\n\n")
    found = score_file(dataset, predicted)
    assert found.form == "CoNLL's columns"
    assert (found.test.exact.correct, found.test.exact.predicted) == (1, 2)
    assert found.brought.missing == 2
    assert wrong.type == "LOC"


def test_real_data_get_the_same_scores(shared_data: Path, tmp_path: Path) -> None:
    """Triples of train wherever their words are, on conll04, whose gold is compared by place."""
    dataset = load_dataset("conll04", shared_data)
    record, predictions = run_on(dataset, gazetteer(dataset))
    assert record.test is not None
    assert record.test.exact.correct > 20
    own, casrel = tmp_path / "own.jsonl", tmp_path / "casrel.json"
    own.write_text(predictions)
    casrel.write_text(as_casrel(predictions))
    assert score_file(dataset, own).test == record.test
    by_words = score_file(dataset, casrel)
    # Words that stand twice are taken at the first place, which is said; all else is as it was.
    doubt = by_words.brought.ambiguous
    assert 0 < doubt < record.test.exact.predicted
    assert abs(by_words.test.exact.correct - record.test.exact.correct) <= doubt
    assert by_words.brought.by_words is not None
    assert by_words.brought.by_words.f1 > by_words.test.partial.f1


def test_a_surface_dataset_gets_the_same_scores_in_every_form(
    shared_data: Path, tmp_path: Path
) -> None:
    dataset = load_dataset("webnlg-star", shared_data)
    record, predictions = run_on(dataset, with_mistakes(dataset))
    casrel = tmp_path / "casrel.json"
    casrel.write_text(as_casrel(predictions))
    assert score_file(dataset, casrel).test == record.test
    whole = load_dataset("webnlg", shared_data)
    with pytest.raises(SuiteError, match=r"own gold is not that of webnlg: .*last words"):
        score_file(whole, casrel)


def test_the_report_has_the_row_and_says_what_it_is(alone: Path, tmp_path: Path) -> None:
    _, predictions = run_of(alone, "tiny")
    about = tmp_path / "prompt.yaml"
    about.write_text(
        'title: A prompt\ncitation: "Some *model*, 2026"\nparameters: 7000000000\n'
        "training: {minutes: 90, machine: eight <b>GPUs</b>}\n"
        "latency: [{milliseconds: 120, batch_size: 4, machine: one GPU}]\n"
    )
    first, second = json.loads(predictions.read_text().splitlines()[0]), {"id": "x", "triples": []}
    answers = lines(tmp_path / "a.jsonl", {"id": first["id"], "triples": []}, second)
    again = f"again={predictions}"
    ended = tiny.command(
        "build_report", alone, "--predictions", f"prompt={answers}", "--predictions", again,
        "--about", about, folder=tmp_path,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "14 of 15 test examples" in ended.err.replace("\n", " ")
    text = (alone / "report.md").read_text()
    table = {
        row["System"]: row for row in rows(section(text, "Main results"), "F1, partial/surface (%)")
    }
    own, copy, prompt = table["FastRE"], table["again (outside)"], table["A prompt (outside)"]
    scores = [heading for heading in own if heading.endswith("/surface (%)")]
    assert len(scores) == 6
    assert [own[h] for h in scores] == [copy[h] for h in scores]
    assert copy["Seeds"] == prompt["Seeds"] == "scored here, not trained here"
    assert prompt["Training in all (min)"] == "90.0 (stated)"
    assert copy["Training in all (min)"] == prompt["Dev evaluation (min)"] == "-"
    first_words = section(text, "What to know first")
    assert "14 of 15 test examples (93.3 %) have no record" in first_words
    assert "1 are of no test example (the first: record 2: x)" in first_words
    (stated,) = rows(section(text, "Inference efficiency"), "trained on")
    assert (stated["ms per sentence"], stated["Batch"]) == ("120", "4")
    assert stated["Parameters"] == "7,000,000,000"
    assert "<b>" not in text
    slices = rows(section(text, "Slices"), "FastRE (n=1)")
    assert all(row["FastRE (n=1)"] == row["again (outside) (1 file)"] for row in slices)
    pairs = {row["Systems"]: row for row in rows(section(text, "Differences"), "Systems")}
    assert pairs["FastRE minus again (outside)"]["Difference in F1 (points)"] == "+0.0"
    assert pairs["FastRE minus A prompt (outside)"]["Seeds"] == "1 seed against 1 file"
    frame = pd.read_csv(alone / "results.csv").set_index("system")
    assert frame.loc["again", "test_partial_f1"] == frame.loc["fastre", "test_partial_f1"]
    assert frame.loc["prompt", "status"] == "scored here, not trained here"
    assert frame.loc["prompt", "predictions_missing"] == 14


def test_a_report_that_is_written_again_keeps_the_rows(alone: Path, tmp_path: Path) -> None:
    _, predictions = run_of(alone, "tiny")
    bring_in(alone, [f"a={predictions}", f"a={predictions}"], [], None)
    assert tiny.command("build_report", alone, folder=tmp_path).code == 0
    assert "scored here, not trained here (2 files)" in (alone / "report.md").read_text()
    bring_in(alone, [f"a={predictions}"], [], None)
    assert [path.name for path in (alone / "outside" / "a" / "tiny").iterdir()] == ["0"]


def test_data_that_are_gone_are_taken_from_the_runs(
    tmp_path: Path, data: Path, loaded: Dataset
) -> None:
    own = Path(shutil.copytree(data, tmp_path / "own" / "tiny"))
    out = tmp_path / "out"
    write_out(out, (str(own), loaded))
    shutil.rmtree(own)
    run, predictions = run_of(out, "tiny")
    (record,) = bring_in(out, [f"again={predictions}"], [], None)
    assert run.test is not None
    assert (record.test.partial, record.test.exact) == (run.test.partial, run.test.exact)
    assert record.test.slices == {k: v for k, v in run.test.slices.items() if k != "seen"}
    assert "not here" in record.gold
    assert tiny.command("build_report", out, folder=tmp_path).code == 0


def test_documents_that_are_gone_are_needed(kept: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(kept, tmp_path / "out"))
    _, predictions = run_of(out, "synthetic-documents")
    plan = predictions.parent / "run.json"
    plan.write_text(plan.read_text().replace('"synthetic-documents"', '"gone/documents"'))
    with pytest.raises(SuiteError, match=r"its files are needed.*--data-dir"):
        bring_in(out, [f"a@synthetic-documents={predictions}"], [], None)
    assert not (out / "outside").exists()


def test_other_data_under_the_same_name_are_refused(
    tmp_path: Path, data: Path, loaded: Dataset
) -> None:
    own = Path(shutil.copytree(data, tmp_path / "own" / "tiny"))
    out = tmp_path / "out"
    write_out(out, (str(own), loaded))
    test = own / "test_triples.json"
    test.write_text(test.read_text().replace("Paris", "Porto"))
    _, predictions = run_of(out, "tiny")
    with pytest.raises(SuiteError, match=r"its test split is not the one that was run on: SHA-256"):
        bring_in(out, [f"a={predictions}"], [], None)


def renamed(name: str) -> Callable[[Path], list[str]]:
    return lambda file: [f"{name}={file}"]


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        (lambda file: [str(file)], "is not NAME=FILE"),
        (renamed("a@nothing"), "unknown dataset in --predictions"),
        (renamed("<b>"), "would take for markup"),
        (lambda file: ["a=nowhere.jsonl"], "nowhere.jsonl"),
        (lambda file: [f"a={file.parent}"], "cannot be read: Is a directory"),
    ],
)
def test_calls_that_mean_nothing_are_refused(
    alone: Path, asked: Callable[[Path], list[str]], cause: str
) -> None:
    _, predictions = run_of(alone, "tiny")
    with pytest.raises(SuiteError, match=cause):
        bring_in(alone, asked(predictions), [], None)
    assert not (alone / "outside").exists()


def test_ids_that_several_datasets_share_are_asked_about(out: Path, tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", {"id": "test-1", "triples": []})
    with pytest.raises(SuiteError, match=r"may be about .* several test sets: .*a@[\w-]+="):
        bring_in(out, [f"a={file}"], [], None)
    (record,) = bring_in(out, [f"a@tiny={file}"], [], None)
    assert record.dataset.name == "tiny"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("- a\n", "does not hold fields by name"),
        ("cost: 3\n", "cost: Extra inputs"),
        ("parameters: -1\n", "parameters"),
        ("title: '<b>x</b>'\n", "would take for markup"),
        ("latency: [{milliseconds: 3}]\n", "machine"),
    ],
)
def test_what_cannot_be_stated_is_refused(
    alone: Path, tmp_path: Path, content: str, cause: str
) -> None:
    _, predictions = run_of(alone, "tiny")
    about = tmp_path / "a.yaml"
    about.write_text(content)
    with pytest.raises(SuiteError, match=cause):
        bring_in(alone, [f"a={predictions}"], [about], None)
    with pytest.raises(SuiteError, match="unknown system in --about"):
        bring_in(alone, [f"b={predictions}"], [about], None)


def test_the_command_scores_without_an_output_folder(
    data: Path, alone: Path, tmp_path: Path
) -> None:
    run, predictions = run_of(alone, "tiny")
    ended = tiny.command(
        "score_predictions", data, predictions, "--json", "scores.json", folder=tmp_path
    )
    assert ended.code == 0, ended.err
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert run.test is not None
    assert scores["metrics"]["partial/f1"] == run.test.partial.f1
    assert scores["test"] == run.test.model_dump(mode="json")
    assert f"{100 * run.test.partial.f1:.1f}" in ended.out
    low, high = scores["f1_interval"]["partial"]
    assert low <= run.test.partial.f1 <= high
    missed = tiny.command("score_predictions", data, "nothing.jsonl", folder=tmp_path)
    assert missed.code == 2
    assert "Traceback" not in missed.err
    assert "nothing.jsonl" in missed.err


def test_names_and_texts_of_others_are_text_everywhere(alone: Path, tmp_path: Path) -> None:
    label = "likes\x1b[31m <b>x</b> | `y`"
    file = lines(tmp_path / "a `b`\x1b.jsonl", {"id": "test-1", "triples": [["Ada", label, "z"]]})
    name = "co$t {5 $x^_{ & more"
    ended = tiny.command("build_report", alone, "--predictions", f"{name}={file}", folder=tmp_path)
    assert ended.code == 0, ended.err
    text = (alone / "report.md").read_text()
    assert f"| {name} (outside) |" in text
    for said in (text, ended.out, ended.err):
        assert "\x1b" not in said
        assert "<b>" not in said
    assert (alone / "figures" / "tiny-slices.png").stat().st_size > 10_000


def test_a_record_of_predictions_survives_a_round_trip(alone: Path) -> None:
    _, predictions = run_of(alone, "tiny")
    (record,) = bring_in(alone, [f"a={predictions}"], [], None)
    assert OutsideRecord.model_validate_json(record.model_dump_json()) == record
