"""What one run is asked to do, as its file holds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.runs.plan import RunPlan
from tests import tiny


def test_a_plan_is_read_as_it_was_meant(monkeypatch: pytest.MonkeyPatch, dataset: Path) -> None:
    monkeypatch.setenv("HOME", str(dataset.parent))
    plan = tiny.make_plan(dataset, vectors=dataset.parent / "v.txt", pretrained="minilm")
    text = plan.model_dump_json()
    assert str(dataset.parent) not in text
    assert '"dataset":"~/' in text
    assert RunPlan.model_validate_json(text) == plan
