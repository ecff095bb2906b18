"""What `suite.tasks` stands on: neither torch nor anything of the suite but errors and files."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted((ROOT / "suite" / "tasks").glob("*.py"))
BENEATH = ("suite.tasks", "suite.errors", "suite.files")


def test_tasks_import_nothing_of_the_suite_but_errors_and_files() -> None:
    wrong = [
        f"{path.name}:{node.lineno} imports {node.module}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("suite")
        if not str(node.module).startswith(BENEATH)
    ]
    assert MODULES
    assert not wrong


def test_tasks_are_importable_without_torch() -> None:
    names = [f"suite.tasks.{path.stem}" for path in MODULES if path.stem != "__init__"]
    code = (
        "".join(f"import {name}\n" for name in names) + "import sys\nprint('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "False", done.stderr
