"""What sets the tasks apart is said in `suite.tasks` alone: nobody else asks which one it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from suite.tasks.examples import TaskName
from suite.tasks.registry import TASKS, find_task

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("suite", "baselines", "runners", "reports")
MAY_ASK = ("suite/tasks/", "suite/datasets/formats/")
NAMES = frozenset(get_args(TaskName))
CLASSES = frozenset(
    {
        "Document",
        "Sentence",
        "Entity",
        "SurfaceEntity",
        "DocumentEntity",
        "Fact",
        "Triple",
        "SurfaceTriple",
    }
)


def asked(code: str) -> Iterator[tuple[int, str]]:
    """Line and text of every comparison with a task's name, and question after an item's class."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            constants = [n for side in sides for n in ast.walk(side) if isinstance(n, ast.Constant)]
            if any(n.value in NAMES for n in constants if isinstance(n.value, str)):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"isinstance", "issubclass"}:
            classes = {n.id for n in ast.walk(node.args[1]) if isinstance(n, ast.Name)}
            classes |= {n.attr for n in ast.walk(node.args[1]) if isinstance(n, ast.Attribute)}
            if classes & CLASSES:
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.match_case):
            values = [n for n in ast.walk(node.pattern) if isinstance(n, ast.Constant)]
            kinds = [n for n in ast.walk(node.pattern) if isinstance(n, ast.MatchClass)]
            if any(n.value in NAMES for n in values if isinstance(n.value, str)) or any(
                ast.unparse(n.cls).rpartition(".")[2] in CLASSES for n in kinds
            ):
                yield node.pattern.lineno, ast.unparse(node.pattern)
        elif isinstance(node, ast.Dict):
            keys = [n.value for n in node.keys if isinstance(n, ast.Constant)]
            if len(NAMES & {key for key in keys if isinstance(key, str)}) > 1:
                yield node.lineno, "a table with an entry per task"


def test_nobody_else_asks_which_task_it_is() -> None:
    modules = [
        (path.relative_to(ROOT).as_posix(), path)
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]
    assert len(modules) > 100
    wrong = [
        f"{name}:{line}: {text}"
        for name, path in modules
        if not name.startswith(MAY_ASK)
        for line, text in asked(path.read_text())
    ]
    assert not wrong


@pytest.mark.parametrize(
    "code",
    [
        'task == "docre"',
        '"ner" != schema.task',
        'dataset.task in ("triples", "ner")',
        "isinstance(example, Document)",
        "isinstance(item, examples.Fact | Entity)",
        'match task:\n    case "ner":\n        pass',
        "match example:\n    case Sentence():\n        pass",
        'SIZES = {"triples": 128, "docre": 8}',
    ],
)
def test_such_questions_are_found(code: str) -> None:
    assert list(asked(code))


@pytest.mark.parametrize(
    "code", ['tasks = frozenset({"triples"})', 'Schema(task="ner")', "isinstance(value, str)"]
)
def test_naming_a_task_is_not_asking(code: str) -> None:
    assert not list(asked(code))


def test_every_name_has_its_task() -> None:
    assert set(TASKS) == NAMES
    assert all(find_task(name).name == name for name in TASKS)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_metrics_are_told_apart_and_explained(name: TaskName) -> None:
    metrics = find_task(name).metrics
    columns = [metric.column for metric in metrics]
    assert len(set(columns)) == len(columns)
    assert all(metric.sentence.endswith(".") for metric in metrics)
