"""The direction of imports, what commands load, what every system says of itself, and sizes."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import FunctionType

import pytest

from suite.systems.capabilities import (
    ExitsEarly,
    Explains,
    Exports,
    Memorises,
    ScoresFacts,
    Searches,
)
from suite.systems.contract import System
from suite.systems.registry import find_system, system_names

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    ("runners",),
    ("baselines", "reports"),
    ("suite.extraction",),
    ("suite.explanation", "suite.outside"),
    ("suite.artifact",),
    ("suite.records",),
    ("suite.studies", "suite.fastre"),
    ("suite.systems",),
    ("suite.modelling",),
    ("suite.protocol", "suite.datasets", "suite.evaluation"),
    ("suite.tasks", "suite.uncertainty"),
    ("suite.plain_yaml",),
    ("suite.locks",),
    ("suite.files", "suite.privacy", "suite.names", "suite.quoting"),
    ("suite.errors",),
)
"""From the top: a module imports from its own room and from those below, not from one beside it."""
FOLDERS = ("suite", "baselines", "reports", "runners")
HEAVY = ("torch", "transformers", "wandb", "optuna", "pandas", "matplotlib")
LONGEST_MODULE = 500
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
MODULES = [path for package in FOLDERS for path in sorted((ROOT / package).rglob("*.py"))]
THIS_MACHINE = re.compile(r"(?<![\w.])/(?:work|root)\b")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    return name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(code: str) -> Iterator[tuple[int, str]]:
    """Line and module of every import, wherever it stands."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from suite import files` names a module as `import suite.files` does.
            wholes = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from ((node.lineno, whole) for whole in wholes)


def room_of(module: str) -> str | None:
    """The room that a module lies in; None for other packages and for `suite` itself."""
    rooms = (room for level in ROOMS for room in level)
    return next((r for r in rooms if module == r or module.startswith(f"{r}.")), None)


def level_of(room: str) -> int:
    return next(i for i, level in enumerate(ROOMS) if room in level)


def loaded_by(code: str) -> set[str]:
    """What of `HEAVY` is in memory after the code ran in a process of its own."""
    tail = f"\nimport sys\nprint('loaded:', *(m for m in {HEAVY} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("loaded:")[2].split())


def upward(module: str, code: str) -> Iterator[str]:
    """The imports of a module that lead to a room above or beside its own."""
    own = room_of(module)
    assert own is not None, f"{module} lies in none of ROOMS"
    for line, name in imported(code):
        other = room_of(name)
        if name.partition(".")[0] == "tests" or (
            other is not None and other != own and level_of(other) <= level_of(own)
        ):
            yield f"{module}:{line} imports {name}"


def test_imports_go_one_way() -> None:
    found = {module_of(path): path.read_text() for path in MODULES if module_of(path) != "suite"}
    assert {room_of(module) for module in found} == {r for level in ROOMS for r in level}
    assert not [wrong for module, code in found.items() for wrong in upward(module, code)]


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("suite.tasks.scoring", "import suite.records.run"),
        ("suite.tasks.scoring", "from suite import modelling"),
        ("reports.load", "from baselines.casrel.tagger import CascadeTagger"),
        ("suite.datasets.load", "def f():\n    from suite.systems.registry import find_system"),
        ("runners.suite", "from tests import tiny"),
    ],
)
def test_an_import_upward_is_found(module: str, code: str) -> None:
    assert list(upward(module, code))


def test_the_suite_names_no_baseline() -> None:
    """Not in a string either: baselines announce themselves."""
    strings = [
        f"{name_of(path)}:{node.lineno}"
        for path in MODULES
        if name_of(path).startswith("suite/")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.search(r"\bbaselines[.:/]\w", node.value)
    ]
    assert not strings


def test_the_contract_has_ten_methods() -> None:
    """All that every system answers; what some can do besides is a capability."""
    own = [name for name, value in vars(System).items() if is_method(value) and name[0] != "_"]
    assert len(own) <= 10, own
    assert {"build", "encode", "loss", "forward", "decode", "ceiling"} <= set(own)


def is_method(value: object) -> bool:
    return isinstance(value, (FunctionType, classmethod, staticmethod, property))


@pytest.mark.parametrize(
    "capability", [ScoresFacts, ExitsEarly, Explains, Exports, Memorises, Searches]
)
def test_a_capability_can_be_asked_for(capability: type) -> None:
    systems = [find_system(name) for name in system_names()]
    able = {system.name for system in systems if issubclass(system, capability)}
    assert able, "some system has it"
    assert able < {*system_names()} or capability is Searches


def test_nothing_is_left_to_an_exception() -> None:
    raised = [
        f"{name_of(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name) and node.id == "NotImplementedError"
    ]
    assert not raised


def test_reports_load_neither_torch_nor_trackers() -> None:
    names = [module_of(path) for path in MODULES if name_of(path).startswith("reports/")]
    loaded = loaded_by("".join(f"import {name}\n" for name in names))
    assert not loaded & {"torch", "transformers", "wandb", "optuna"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_answers_at_once(script: str) -> None:
    module, _, function = SCRIPTS[script].partition(":")
    code = f"""
import contextlib, io, sys
from {module} import {function}
sys.argv = [{script!r}, "--help"]
text = io.StringIO()
try:
    with contextlib.redirect_stdout(text):
        {function}()
except SystemExit as end:
    assert end.code == 0, end.code
assert "Usage: {script}" in text.getvalue(), text.getvalue()
"""
    assert loaded_by(code) == set()


@pytest.mark.parametrize("name", system_names())
def test_every_system_says_who_it_is(name: str) -> None:
    system = find_system(name)
    assert system.name == name
    assert system.title.strip()
    assert re.search(r"\b(19|20)\d\d\b", system.citation), "a citation has a year"
    assert system.tasks
    assert isinstance(system.departures, tuple), "one string would be printed letter by letter"
    assert system.departures
    assert all(d.strip().endswith(".") for d in system.departures), "departures are sentences"


@pytest.mark.parametrize("name", system_names())
def test_every_setting_is_documented(name: str) -> None:
    settings = find_system(name).Settings
    assert settings.__dataclass_params__.frozen
    documented = [
        found
        for part in settings.__mro__
        if part is not object
        for found in re.findall(
            r"^ {4}(\w+): \S",
            inspect.cleandoc(part.__doc__ or "").partition("Attributes:")[2],
            re.MULTILINE,
        )
    ]
    assert sorted(documented) == sorted(field.name for field in fields(settings))


def systems_under_contract() -> set[str]:
    """The class names that subclasses of the contract's tests are about."""
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ClassDef):
                continue
            bases = {ast.unparse(b).rpartition(".")[2] for b in node.bases}
            if bases.isdisjoint({"SystemContract", "MemoryContract"}):
                continue
            for statement in node.body:
                if (
                    isinstance(statement, ast.Assign)
                    and ast.unparse(statement.targets[0]) == "system"
                ):
                    found.add(ast.unparse(statement.value).rpartition(".")[2])
    return found


@pytest.mark.parametrize("name", system_names())
def test_every_system_answers_the_contract(name: str) -> None:
    assert find_system(name).__name__ in systems_under_contract()


def test_modules_fit_in_a_head() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in MODULES}
    assert not {name: n for name, n in lengths.items() if n > LONGEST_MODULE}


def test_nothing_names_a_path_of_one_machine() -> None:
    folders = [*FOLDERS, "tests", ".ci", "docs"]
    files = [p for folder in folders for p in (ROOT / folder).rglob("*")]
    files += ROOT.iterdir()
    wrong = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in files
        if path.is_file() and path.suffix not in {".png", ".pyc"} and path.name != ".git"
        for number, line in enumerate(path.read_text(errors="ignore").splitlines(), 1)
        if THIS_MACHINE.search(line)
    ]
    assert not wrong
