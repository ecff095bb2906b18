"""`explain-run` on a tiny trained run: what it writes, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
import spacy
from safetensors.torch import load_file, save_file

from runners.explain.explain import explain
from runners.options.commands import ExplainOptions
from runners.runs.inference import load_system
from runners.runs.plan import read_run_plan
from runners.runs.workbench import Workbench
from suite.errors import SuiteError
from suite.files import content_digest
from suite.tasks.examples import Sentence
from tests import tiny
from tests.contract import whole

HEADS = 2
MEASURES = ("gradient_norm", "attention_of_the_head_tagger", "attention_of_the_tail_tagger")


@pytest.fixture(scope="module")
def trained(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a complete run of FastRE."""
    settings = {**tiny.FASTRE, "attention_heads": HEADS}
    plan = tiny.make_plan(dataset, epochs=2, settings=settings)
    folder = tiny.write_plan(tmp_path_factory.mktemp("trained") / "run", plan)
    ended = tiny.forked(tiny.train, folder, folder=folder)
    assert ended.code == 0, ended.err
    return folder


@pytest.fixture(scope="module")
def written(trained: Path) -> Path:
    """What the command without options writes."""
    ended = tiny.forked(command, ["explain-run", str(trained)], folder=trained)
    assert ended.code == 0, ended.err
    assert ended.err == ""
    assert ended.out == f"explanation: {trained / 'explain' / 'explain.md'}\n"
    return trained / "explain"


def command(arguments: Sequence[str]) -> None:
    """The command line `explain-run`, for `tiny.forked`."""
    from runners.cli.explain_run import explain_run

    sys.argv = list(arguments)
    explain_run()


def test_help_teaches_without_importing_torch() -> None:
    code = (
        "import sys; from runners.cli.explain_run import explain_run\n"
        "sys.argv = ['explain-run', '--help']\n"
        "try: explain_run()\n"
        "finally: assert not {'torch', 'spacy', 'matplotlib', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, env=tiny.environment(COLUMNS="120"),
    )  # fmt: skip
    assert "Usage: explain-run [OPTIONS]" in done.stdout
    assert "RUN_FOLDER/explain" in done.stdout
    assert "explain-run runs/runs/fastre/nyt11/0 --sentence test-12 --heads" in done.stdout


def sentences_of(run: Path) -> list[Sentence]:
    bench = Workbench(read_run_plan(run))
    return [e for e in bench.examples(bench.dataset.test) if isinstance(e, Sentence)]


def test_every_word_of_test_has_its_row(trained: Path, written: Path) -> None:
    words = pd.read_csv(written / "words.csv", keep_default_na=False)
    expected = [
        (s.id, len(s.triples), i, w) for s in sentences_of(trained) for i, w in enumerate(s.words)
    ]
    columns = ["sentence", "triples", "index", "word"]
    assert list(words[columns].itertuples(index=False, name=None)) == expected
    for measure in MEASURES:
        means = words.groupby("sentence")[measure].mean()
        assert means.to_numpy() == pytest.approx(1, abs=1e-4), "in multiples of the mean"
    boundary = words[words["class"] == "entity boundary"]["word"]
    assert {"Emmy", "Noether", "Paris"} & set(boundary)
    assert set(words[words["word"] == "."]["class"]) == {"punctuation"}


def test_norms_are_those_of_the_selected_weights(trained: Path, written: Path) -> None:
    words = pd.read_csv(written / "words.csv", keep_default_na=False)
    bench = Workbench(read_run_plan(trained))
    system = load_system(trained, bench).eval()
    for sentence in sentences_of(trained):
        found = words[words["sentence"] == sentence.id]
        explanation = system.explain(whole(system, [sentence]))
        norms = explanation.gradient_norms[0]
        assert found["norm"].to_numpy() == pytest.approx(norms.numpy(), rel=1e-3)
        received = explanation.attention["tail tagger"][0].mean((0, 1)) * len(sentence.words)
        assert found[MEASURES[2]].to_numpy() == pytest.approx(received.numpy(), rel=1e-3)


def test_classes_are_means_of_the_words(written: Path) -> None:
    words = pd.read_csv(written / "words.csv", keep_default_na=False)
    classes = pd.read_csv(written / "classes.csv", keep_default_na=False)
    held = words[words["triples"] > 0]
    assert 0 < len(held) < len(words)
    for row in classes.itertuples(index=False):
        own = held[held["class"] == row[1]]
        assert row.words == len(own)
        assert row.sentences == own["sentence"].nunique()
        if row.words:
            mean = own[row.measure.replace(" ", "_")].mean()
            assert float(row.mean) == pytest.approx(mean, abs=1e-4), row
            assert float(row.low) <= float(row.mean) <= float(row.high)
    assert {m.replace(" ", "_") for m in classes["measure"]} == set(MEASURES)


def test_the_text_shows_its_figures(trained: Path, written: Path) -> None:
    text = (written / "explain.md").read_text()
    record = json.loads((trained / "record.json").read_text())
    for said in (
        "# What FastRE looks at on tiny",
        f"configuration `{record['configuration']}`",
        "seed 3",
        "Over the 12 of 15 test sentences that hold a gold triple",
        "| predicate | not given | not given | not given |",
        "predicate: not given: they take a dependency parser",
    ):
        assert said in text, said
    for sentence in [s for s in sentences_of(trained) if s.triples][:4]:
        (triple,) = sentence.triples
        head, tail = (" ".join(sentence.words[a:b]) for a, b in (triple.head, triple.tail))
        assert f"- {head} → {triple.relation} → {tail}\n" in text
    shown = re.findall(r"!\[[^\]]+\]\((figures/[^)]+\.png)\)", text)
    assert sorted(shown) == sorted(f"figures/{p.name}" for p in (written / "figures").glob("*.png"))
    assert len(shown) == 4 * 3
    assert all((written / path).read_bytes().startswith(b"\x89PNG") for path in shown)
    holding = [s.id for s in sentences_of(trained) if s.triples]
    assert re.findall(r"^### \d\. `(.*)`$", text, re.MULTILINE) == holding[:4]
    assert sorted(p.name for p in written.iterdir()) == [
        "classes.csv",
        "explain.html",
        "explain.md",
        "figures",
        "tables",
        "words.csv",
    ]


def test_sentences_by_name_and_each_head(trained: Path, tmp_path: Path) -> None:
    """A sentence without triples is drawn as well; figures of an earlier call are gone."""
    without = next(s for s in sentences_of(trained) if not s.triples)
    out = tmp_path / "out"
    both = ExplainOptions(
        folder=trained, sentence=[without.id, sentences_of(trained)[0].id], heads=True, out=out
    )
    text = explain(both).read_text()
    assert "No gold triple: what the loss asks for is that no word is tagged." in text
    figures = list((out / "figures").glob("*.svg"))
    assert len(figures) == 2 * (1 + 2 * (1 + HEADS))
    assert f"Attention of the tail tagger in {without.id}, head {HEADS}" in text
    (out / "figures" / "mine.png").write_bytes(b"")
    explain(
        ExplainOptions(
            folder=trained,
            sentence=[
                without.id,
            ],
            out=out,
        )
    )
    left = sorted(p.name for p in (out / "figures").glob("*.png"))
    assert left == ["mine.png"] + [
        f"sentence-1-{name}.png" for name in ("gradient", "head-tagger", "tail-tagger")
    ]


def test_fewer_sentences_than_asked_for_are_told(trained: Path, tmp_path: Path) -> None:
    request = ExplainOptions(folder=trained, count=9, max_length=6, out=tmp_path)
    fitting = sum(bool(s.triples) and len(s.words) <= 6 for s in sentences_of(trained))
    text = explain(request).read_text()
    assert f"{fitting} of 9 sentences are drawn: no other one of at most 6 words" in text
    assert len(list(tmp_path.glob("figures/*.png"))) == 3 * fitting


def test_a_parser_gives_predicate_words(trained: Path, tmp_path: Path) -> None:
    """Every word hangs on the first one: all heads and tails meet there."""
    made = spacy.blank("en")
    made.add_pipe("parser").add_label("LABEL")
    made.initialize()
    made.to_disk(tmp_path / "pipeline")
    out = tmp_path / "out"
    text = explain(
        ExplainOptions(folder=trained, count=1, parser=str(tmp_path / "pipeline"), out=out)
    ).read_text()
    assert "predicate: a word on the shortest path between head and tail" in text
    assert "the pipeline has no tagger of Penn Treebank tags" in text
    assert "not given" not in text
    assert "SHA-256" in text


def nothing(run: Path) -> ExplainOptions:
    return ExplainOptions(folder=run.parent)


def no_plan(run: Path) -> ExplainOptions:
    (run / "run.json").unlink()
    return ExplainOptions(folder=run)


def broken_plan(run: Path) -> ExplainOptions:
    (run / "run.json").write_text('{"suite": 3}')
    return ExplainOptions(folder=run)


def incomplete(run: Path) -> ExplainOptions:
    record = json.loads((run / "record.json").read_text())
    changed = {**record, "status": "interrupted", "failure": "stopped by the user"}
    (run / "record.json").write_text(json.dumps(changed))
    return ExplainOptions(folder=run)


def other_system(run: Path) -> ExplainOptions:
    plan = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**plan, "system": "pmei", "settings": {}}))
    return ExplainOptions(folder=run)


def no_weights(run: Path) -> ExplainOptions:
    (run / "model" / "model.safetensors").unlink()
    return ExplainOptions(folder=run)


def other_weights(run: Path) -> ExplainOptions:
    weights = run / "model" / "model.safetensors"
    state = load_file(weights)
    del state["head_scores.weight"]
    save_file(state, weights)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    config = json.loads((run / "model" / "config.json").read_text())
    config["files"]["model.safetensors"] = digest
    (run / "model" / "config.json").write_text(json.dumps(config))
    record = json.loads((run / "record.json").read_text())
    record["model"] = content_digest(run / "model" / "config.json")
    (run / "record.json").write_text(json.dumps(record))
    return ExplainOptions(folder=run)


def other_data(run: Path) -> ExplainOptions:
    plan = json.loads((run / "run.json").read_text())
    data = shutil.copytree(plan["dataset"], run / "data")
    records = json.loads((data / "test_triples.json").read_text())
    (data / "test_triples.json").write_text(json.dumps(records[1:]))
    (run / "run.json").write_text(json.dumps({**plan, "dataset": str(data)}))
    return ExplainOptions(folder=run)


def no_sentence(run: Path) -> ExplainOptions:
    return ExplainOptions(
        folder=run,
        sentence=[
            f"{sentences_of(run)[4].id}x",
        ],
    )


def no_parser(run: Path) -> ExplainOptions:
    return ExplainOptions(folder=run, parser="en_core_web_none")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (nothing, "holds no run: there is no run.json"),
        (no_plan, "holds no run: there is no run.json"),
        (broken_plan, "not a run's plan of this version"),
        (incomplete, "the run is not complete: interrupted, stopped by the user"),
        (other_system, "cannot be explained"),
        (no_weights, "model.safetensors of the model is missing"),
        (other_weights, "its weights are not those of 'fastre' under its settings"),
        (other_data, "not what the run was trained on"),
        (no_sentence, r"unknown test sentence '\S+x'. Did you mean 'test-5'\?"),
        (no_parser, "'en_core_web_none' is neither installed nor a folder"),
    ],
)
def test_mistakes_are_told(
    trained: Path, tmp_path: Path, spoil: Callable[[Path], ExplainOptions], message: str
) -> None:
    run = shutil.copytree(trained, tmp_path / "run", ignore=shutil.ignore_patterns("explain"))
    with pytest.raises(SuiteError, match=message):
        explain(spoil(run))
    assert not (run / "explain").exists()


def test_a_mistake_ends_the_command_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    ended = tiny.forked(command, ["explain-run", "no/such/run"], folder=tmp_path / "here")
    assert ended.code == 2
    assert ended.err.startswith("error: no/such/run: holds no run")
    assert len(ended.err.splitlines()) == 1, ended.err
