"""Structures of one search are tried by another: which, as far as they fit, and once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState

from runners.search.attributes import RESULT, WARM_START
from runners.search.request import SearchRequest
from runners.search.search import Search
from runners.search.storage import IDENTITY, JOURNAL, open_storage
from runners.search.warm_start import BEST, DIVERSE, NOT_TAKEN, Fit, chosen, distance, read_trials
from runners.suite import Request
from suite.errors import SuiteError
from suite.fastre.space import FASTRE_TABLE_4, vary_fastre
from suite.protocol import Protocol
from suite.records.search import Limits, TrialRecord
from tests import tiny

PUBLISHED = FASTRE_TABLE_4["FastRE"]
OLDER = {
    "pattern": "rising", "blocks": 3, "highest_rate": 2, "kernel": 5, "width": 256, "dropout": 0.15,
    "gate": "highway", "attention_heads": 16, "heads_per_step": "one",
}  # fmt: skip
"""Choices of a space that knew one width and one kernel for all blocks."""


def trial(number: int, f1: float, **choices: object) -> TrialRecord:
    fields = {"phase": "accuracy", "number": number, "key": f"key {number}", "label": None}
    rest = {"state": "complete", "settings": {}, "structure": {}, "dev_f1": f1}
    return TrialRecord.model_validate({**fields, **rest, "choices": {**OLDER, **choices}})


def test_the_best_and_of_the_better_half_what_differs_most() -> None:
    like = [trial(i, 0.9 - i / 100) for i in range(12)]
    unlike = trial(50, 0.7, width=64, gate="none", kernel=7)
    nearly = trial(51, 0.69, width=64)
    bad = [trial(60 + i, 0.1, width=64, blocks=2 + i) for i in range(14)]
    found = chosen([*like, unlike, nearly, *bad])
    assert found[:BEST] == like[:BEST]
    assert found[BEST] == unlike
    assert found[BEST + 1] == nearly
    assert len(found) == BEST + DIVERSE
    assert not set(map(id, bad)) & set(map(id, found))
    assert chosen(like[:1]) == like[:1]


def test_distance_is_the_share_of_choices_that_differ() -> None:
    assert distance({"a": 1, "b": 2}, {"a": 1, "b": 2}) == 0
    assert distance({"a": 1, "b": 2}, {"a": 1, "c": 2}) == pytest.approx(2 / 3)
    assert distance({}, {}) == 0


def test_an_older_spaces_structure_stays_what_it_was() -> None:
    """What it was not asked is as published."""
    fit = Fit(OLDER, PUBLISHED)
    settings = vary_fastre(fit)
    assert fit.left_out() == []
    assert {k: fit.taken[k] for k in OLDER} == OLDER
    assert settings["dilations"] == (1, 2, 2)
    assert settings["width"] == 256
    assert settings.get("widths") is None
    assert fit.taken["width_pattern"] == "one"
    assert fit.taken["learning_rate_factor"] == 1.0


def test_what_does_not_fit_is_left_to_the_sampler_and_said() -> None:
    odd = {**OLDER, "width": 384, "dropout": 0.07, "blocks": 40, "layers": 3}
    fit = Fit(odd, PUBLISHED)
    vary_fastre(fit)
    assert not {"width", "dropout", "blocks", "layers"} & fit.taken.keys()
    assert fit.taken["kernel"] == 5
    assert fit.left_out() == [
        "blocks 40 is not in this space",
        "width 384 is not in this space",
        "dropout 0.07 is not in this space",
        "layers is not asked for in this space",
    ]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_dataset(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture
def begun(dataset: Path, tmp_path: Path) -> Callable[..., Search]:
    def made(name: str, warm_start: Path | None = None, system: str = "fastre") -> Search:
        out = tmp_path / name
        suite = Request((str(dataset),), (system,), (0,), Protocol(epochs=2), out)
        request = SearchRequest(suite, 9, 0, 0, Limits(), name, warm_start=warm_start)
        return Search(request, open_storage(None, out))

    return made


def other(begun: Callable[..., Search], *trials: TrialRecord, system: str = "fastre") -> Path:
    """The folder of a search in which these trials have ended."""
    search = begun("other", system=system)
    study = search.begin()
    for found in trials:
        asked = study.ask()
        asked.set_user_attr(RESULT, found.model_dump_json())
        study.tell(asked, found.dev_f1)
    return search.out


def test_they_wait_behind_the_published_ones_once_and_without_a_score(
    begun: Callable[..., Search],
) -> None:
    labelled = trial(3, 0.99).model_copy(update={"label": "FastRE"})
    folder = other(begun, trial(0, 0.5), trial(1, 0.8, width=384), labelled)
    published = len(FASTRE_TABLE_4)
    for _ in range(2):
        study = begun("new", folder).begin()
        waiting = study.get_trials(states=(TrialState.WAITING,))
        assert len(study.trials) == len(waiting) == published + 2
        assert [t.user_attrs.get(WARM_START) for t in waiting[published:]] == [
            "accuracy 1 of other (key 1)",
            "accuracy 0 of other (key 0)",
        ]
        said = ["accuracy 1 of other (key 1): width 384 is not in this space"]
        assert study.user_attrs[NOT_TAKEN] == said
        assert all(t.values is None and RESULT not in t.user_attrs for t in waiting)
    search = begun("new", folder)
    asked = [study.ask() for _ in range(published + 2)][-1]
    settings = search.settings_of(asked)
    assert (settings["width"], settings["kernel"], settings["dilations"]) == (256, 5, (1, 2, 2))


def test_a_search_of_an_earlier_version_can_be_started_from(begun: Callable[..., Search]) -> None:
    """Its journal is read, and yet not gone on with."""
    folder = other(begun, trial(0, 0.5))
    search = begun("other")
    study = search.begun()["accuracy"]
    earlier = {k: v for k, v in study.user_attrs[IDENTITY].items() if k not in ("form", "pruner")}
    study.set_user_attr(IDENTITY, earlier)
    with pytest.raises(SuiteError, match=r"by a version of the suite whose space .* --warm-start"):
        begun("other").begin()
    assert [t.key for t in read_trials(folder, "fastre")] == ["key 0"]


def test_a_folder_that_holds_no_such_search(begun: Callable[..., Search], tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(SuiteError, match=f"holds no search: neither {JOURNAL} nor search.json"):
        begun("new", empty).begin()
    with pytest.raises(SuiteError, match="holds no complete structure"):
        begun("new", other(begun)).begin()
    with pytest.raises(SuiteError, match="is a search of fastre, not of casrel"):
        read_trials(tmp_path / "other", "casrel")
