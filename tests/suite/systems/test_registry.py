"""Systems by name: who announces them, and what is refused."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from baselines.bert_docred.system import BertDocRED
from suite.errors import SuiteError
from suite.fastre.system import FastRE
from suite.systems import registry
from suite.systems.registry import DISTRIBUTION, GROUP, find_system, system_names


def entry(name: str, value: str, package: str) -> EntryPoint:
    found = EntryPoint(name, value, GROUP)
    vars(found)["dist"] = SimpleNamespace(name=package)
    return found


OWN = [
    entry("casrel", "baselines.casrel.system:CasRel", DISTRIBUTION),
    entry("fastre", "suite.fastre.system:FastRE", DISTRIBUTION),
]


def announce(patch: pytest.MonkeyPatch, *entries: EntryPoint) -> None:
    patch.setattr(registry, "entry_points", lambda group: list(entries))


def test_own_systems_stand_first(monkeypatch: pytest.MonkeyPatch) -> None:
    announce(monkeypatch, entry("a", "a:A", "plug-in"), *OWN)
    assert system_names() == ["fastre", "casrel", "a"]


def test_what_is_installed_here_is_found() -> None:
    assert system_names()[0] == "fastre"
    assert find_system("fastre") is FastRE
    assert find_system("bert_docred") is BertDocRED


def test_a_name_of_two_packages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    announce(monkeypatch, *OWN, entry("fastre", "other:FastRE", "plug-in"))
    with pytest.raises(SuiteError, match=r"relation-suite and plug-in both announce .*'fastre'"):
        find_system("fastre")
    assert find_system("casrel").name == "casrel"


def test_an_installation_older_than_its_code_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    announce(monkeypatch, entry("a", "a:A", "plug-in"))
    with pytest.raises(SuiteError, match=r"announces no systems.*Install it again"):
        system_names()


def test_a_ranked_task_needs_the_scores_of_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FastRE, "tasks", frozenset({"docre", "triples"}))
    announce(monkeypatch, *OWN)
    with pytest.raises(SuiteError, match=r"does the task docre.*scores no facts.*ScoresFacts"):
        find_system("fastre")
