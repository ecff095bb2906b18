"""The direction of imports, what commands load, what every system says of itself, and sizes."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from suite.systems.contract import BUILT_IN, find_system

ROOT = Path(__file__).resolve().parents[1]
MAY_IMPORT = {
    "suite": {"suite"},
    "baselines": {"baselines", "suite"},
    "reports": {"reports", "suite"},
    "runners": {"runners", "suite", "baselines", "reports"},
}
HEAVY = ("torch", "transformers", "wandb", "optuna", "pandas", "matplotlib")
LONGEST_MODULE = 500
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
MODULES = [path for package in MAY_IMPORT for path in sorted((ROOT / package).rglob("*.py"))]
THIS_MACHINE = re.compile(r"(?<![\w.])/(?:work|root)\b")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and top-level name of every import, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, str(node.module).partition(".")[0]


def loaded_by(code: str) -> set[str]:
    """What of `HEAVY` is in memory after the code ran in a process of its own."""
    tail = f"\nimport sys\nprint('loaded:', *(m for m in {HEAVY} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("loaded:")[2].split())


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_go_one_way(package: str) -> None:
    modules = [path for path in MODULES if name_of(path).startswith(f"{package}/")]
    assert modules, f"{package} has no modules"
    forbidden = MAY_IMPORT.keys() - MAY_IMPORT[package] | {"tests"}
    wrong = [
        f"{name_of(path)}:{line} imports {name}"
        for path in modules
        for line, name in imported(path)
        if name in forbidden
    ]
    assert not wrong


def test_reports_load_neither_torch_nor_trackers() -> None:
    names = [
        name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in MODULES
        if name_of(path).startswith("reports/")
    ]
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


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_system_says_who_it_is(name: str) -> None:
    system = find_system(name)
    assert system.name == name
    assert system.title.strip()
    assert re.search(r"\b(19|20)\d\d\b", system.citation), "a citation has a year"
    assert system.tasks
    assert isinstance(system.departures, tuple), "one string would be printed letter by letter"
    assert system.departures
    assert all(d.strip().endswith(".") for d in system.departures), "departures are sentences"


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_setting_is_documented(name: str) -> None:
    settings = find_system(name).Settings
    assert settings.__dataclass_params__.frozen
    attributes = (settings.__doc__ or "").partition("Attributes:")[2]
    documented = set(re.findall(r"^ {8}(\w+): \S", attributes, re.MULTILINE))
    assert documented == {field.name for field in fields(settings)}


def systems_under_contract() -> set[str]:
    """The class names that subclasses of `SystemContract` in the tests are about."""
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ClassDef):
                continue
            if "SystemContract" not in {ast.unparse(b).rpartition(".")[2] for b in node.bases}:
                continue
            for statement in node.body:
                if (
                    isinstance(statement, ast.Assign)
                    and ast.unparse(statement.targets[0]) == "system"
                ):
                    found.add(ast.unparse(statement.value).rpartition(".")[2])
    return found


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_system_answers_the_contract(name: str) -> None:
    assert find_system(name).__name__ in systems_under_contract()


def test_modules_fit_in_a_head() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in MODULES}
    assert not {name: n for name, n in lengths.items() if n > LONGEST_MODULE}


def test_nothing_names_a_path_of_one_machine() -> None:
    folders = [*MAY_IMPORT, "tests", ".ci", "docs"]
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
