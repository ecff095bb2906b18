"""What docs/outside.md shows is carried out, on a file of answers that is made here."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from runners.outside import score_file
from suite.datasets import load_dataset
from suite.outside.about import read_about
from suite.outside.forms import COLUMNS, JSON_FORMS, read_answers
from tests import tiny
from tests.test_docs import ROOT, blocks, tables

PAGE = (ROOT / "docs" / "outside.md").read_text()
WAYS = (
    "{json}",
    "Sure! Here are the relations:\n```json\n{json}\n```\nLet me know if you need more.",
    '[{{"head": "Nobody", "relation": "lives in", "tail": "{place}",}},]',
    "I cannot find any relation in this sentence.",
    '{json}, {{"head": "Ada", "relation": "li',
    '[{{"head": 3, "relation": null, "tail": ["x"]}}, {{"subject": "y"}}]',
)
"""How a model may answer: as asked, in prose, wrongly, not at all, cut off, and not as asked."""


def answers_of(prompts: Path) -> list[dict[str, str]]:
    """What a model says that knows gold and has manners of its own."""
    gold = {f"test-{i}": r["triple_list"] for i, r in enumerate(tiny.sentences("test"), start=1)}
    found = []
    for number, line in enumerate(prompts.read_text().splitlines()):
        identity = json.loads(line)["id"]
        names = ("head", "relation", "tail")
        written = json.dumps([dict(zip(names, t, strict=True)) for t in gold[identity]])
        way = WAYS[number % len(WAYS)]
        found.append({"id": identity, "answer": way.format(json=written, place="Atlantis")})
    return found


def test_its_blocks_run_on_what_a_model_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.write_dataset(tmp_path / "my-data")
    monkeypatch.chdir(tmp_path)
    ask, parse, score = blocks("python", [PAGE])
    names: dict[str, Any] = {}
    exec(ask, names)
    prompts = [json.loads(line) for line in Path("prompts.jsonl").read_text().splitlines()]
    assert len(prompts) == tiny.SIZES["test"]
    assert "born in, lives in, works in" in prompts[0]["prompt"]
    said = answers_of(Path("prompts.jsonl"))
    Path("answers.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in said))
    exec(parse, names)
    exec(score, names)
    found = names["found"]
    gold = {f"test-{i}": len(r["triple_list"]) for i, r in enumerate(tiny.sentences("test"), 1)}
    right = sum(gold[one["id"]] for i, one in enumerate(said) if i % len(WAYS) in {0, 1, 4})
    wrong = sum(i % len(WAYS) == 2 for i in range(len(said)))
    scores = found.test.exact
    assert (scores.correct, scores.predicted) == (right, right + wrong)
    assert found.brought.unplaced == wrong
    assert found.brought.missing == 0
    assert f"{scores.f1} 0 {{}}" in capsys.readouterr().out
    assert len(parse.strip().splitlines()) <= 20
    again = score_file(load_dataset("my-data"), Path("prompt.jsonl"))
    assert again.test == found.test


def test_its_command_scores_that(tmp_path: Path) -> None:
    data = tiny.write_dataset(tmp_path / "my-data")
    file = tmp_path / "prompt.jsonl"
    file.write_text('{"id": "test-1", "triples": [["Ada", "lives_in", "Rome"]]}\n')
    (command,) = re.findall(r"^(score-predictions my-data .*)$", PAGE, re.MULTILINE)
    assert command.split() == ["score-predictions", data.name, file.name]
    ended = tiny.command("score_predictions", data.name, file.name, folder=tmp_path)
    assert ended.code == 0, ended.err
    assert "1 of 1 items are of a relation or type that the dataset does not know" in ended.err


def test_its_table_has_every_form() -> None:
    (table,) = (t for t in tables(PAGE) if t.startswith("| form |"))
    assert len(table.splitlines()) - 2 == len(JSON_FORMS) + len([COLUMNS])


def test_its_records_can_be_read(tmp_path: Path) -> None:
    (table,) = (t for t in tables(PAGE) if t.startswith("| form |"))
    shown = re.findall(r"`(\[?\{.*?\}\]?)`", table)
    for number, record in enumerate(shown):
        path = tmp_path / f"{number}.json"
        path.write_text(record)
        (answer,) = read_answers(path).answers
        assert len(answer.claims) == 1
    assert len(shown) == 3


def test_what_it_states_can_be_stated(tmp_path: Path) -> None:
    (block,) = blocks("yaml", [PAGE])
    (tmp_path / "prompt.yaml").write_text(block)
    about = read_about(tmp_path / "prompt.yaml")
    assert about.parameters == 7_000_000_000
    assert about.latency[0].milliseconds == 120
