"""Every published structure of a search gets its figure, or the command says that it did not."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from runners.search import storage
from runners.search.search import LABEL, RESULT, Search, SearchRequest
from runners.search.storage import MOST_RETRIES, WORKER, give_back, open_storage, retry_the_dead
from runners.suite import Request
from suite.protocol import Protocol
from suite.records.search import Limits, TrialRecord
from tests import tiny


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_dataset(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture
def begun(dataset: Path, tmp_path: Path) -> Search:
    """A search of which nothing is done yet."""
    suite = Request((str(dataset),), ("fastre",), (0,), Protocol(epochs=2), tmp_path)
    request = SearchRequest(suite, 9, 0, 0, Limits(), "begun")
    return Search(request, open_storage(None, tmp_path))


def result(label: str | None, state: str, failure: str | None = None) -> str:
    fields = {"phase": "accuracy", "number": 0, "key": "k", "label": label, "state": state}
    rest = {"choices": {}, "settings": {}, "structure": {}, "dev_f1": 0.5, "failure": failure}
    return TrialRecord.model_validate({**fields, **rest}).model_dump_json()


def queue(study: optuna.Study) -> list[str]:
    waiting = study.get_trials(states=(TrialState.WAITING,))
    return [trial.user_attrs[LABEL] for trial in waiting]


def test_they_wait_once(begun: Search) -> None:
    labels = list(begun.space.tried_first())
    assert queue(begun.begin()) == labels
    assert queue(begun.begin()) == labels
    assert list(begun.without_figure()) == labels


def test_one_that_failed_or_was_dropped_is_tried_again(begun: Search) -> None:
    labels = list(begun.space.tried_first())
    study = begun.begin()
    for state, failure in (("complete", None), ("failed", "out of memory"), ("pruned", "median")):
        trial = study.ask()
        trial.set_user_attr(RESULT, result(trial.user_attrs[LABEL], state, failure))
        study.tell(trial, 0.5)
    dropped = study.ask()
    study.tell(dropped, state=TrialState.FAIL)
    assert begun.without_figure() == {
        labels[1]: "out of memory",
        labels[2]: "median",
        **dict.fromkeys(labels[3:], "every process that tried it has died"),
    }
    assert queue(begun.begin()) == [*labels[4:], *labels[1:4]]


def test_the_command_says_which_have_none(
    begun: Search, capsys: pytest.CaptureFixture[str]
) -> None:
    from runners.cli.search_structure import _all_is_there

    study = begun.begin()
    for _ in begun.space.tried_first():
        trial = study.ask()
        trial.set_user_attr(RESULT, result(trial.user_attrs[LABEL], "complete"))
        study.tell(trial, 0.5)
    record = type("Record", (), {"trials": begun.trials()})()
    assert _all_is_there(begun, record)
    begun.space = type("Space", (begun.space,), {"tried_first": lambda: {"[FastRE]": {}}})
    capsys.readouterr()
    assert not _all_is_there(begun, record)
    assert capsys.readouterr().err == (
        "the published structure '[FastRE]' has no figure: every process that tried it has died; "
        "the same command tries it again\n"
    )


def test_an_interruption_is_no_death(begun: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the user stops the search, the trial goes back into the queue."""
    study, me = begun.begin(), {"host": "here", "pid": 1, "born": 0.0}
    first = queue(study)[0]
    for _ in range(MOST_RETRIES + 2):
        while (trial := study.ask()).user_attrs.get(LABEL) != first:
            study.tell(trial, 0.5)
        trial.set_user_attr(WORKER, me)
        study.tell(trial, state=TrialState.FAIL)
        give_back(study, me)
        assert queue(study).count(first) == 1


def test_a_trial_that_kills_its_workers_is_given_up_and_that_is_said(
    begun: Search, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(storage, "SETTLED_SECONDS", -1)
    study = begun.begin()
    first = queue(study)[0]
    for death in range(MOST_RETRIES + 1):
        while (trial := study.ask()).user_attrs.get(LABEL) != first:
            study.tell(trial, 0.5)
        capsys.readouterr()
        retry_the_dead(study)
        given_up = death == MOST_RETRIES
        assert queue(study).count(first) == (not given_up)
        said = f"accuracy {trial.number} is given up: its workers have died or were stopped 4 times"
        assert (said in capsys.readouterr().err) is given_up
    assert first in queue(begun.begin()), "the next command tries it again"
