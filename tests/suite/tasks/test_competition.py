"""Entries for the DocRED competition."""

from __future__ import annotations

import dataclasses
import json

import pytest

from suite.tasks.competition import competition_entries
from suite.tasks.examples import Fact
from suite.tasks.items import Prediction
from tests.corpus import BORN, DOCUMENTS, LIVES


def test_entries_are_the_competitions() -> None:
    again = dataclasses.replace(DOCUMENTS[1], id="across #2", title="across")
    found = [
        [Prediction(Fact(0, BORN, 1), 0.9), Prediction(Fact(2, LIVES, 0, (0, 1)), 0.4)],
        [],
        [Prediction(Fact(1, LIVES, 0), 0.7)],
    ]
    entries = competition_entries([DOCUMENTS[0], DOCUMENTS[2], again], found)
    assert json.loads(json.dumps(entries)) == [
        {"title": "across", "h_idx": 0, "t_idx": 1, "r": "born in", "evidence": []},
        {"title": "across", "h_idx": 2, "t_idx": 0, "r": "lives in", "evidence": [0, 1]},
        {"title": "across", "h_idx": 1, "t_idx": 0, "r": "lives in", "evidence": []},
    ]


def test_every_document_needs_its_predictions() -> None:
    with pytest.raises(ValueError, match="shorter"):
        competition_entries(DOCUMENTS, [])
