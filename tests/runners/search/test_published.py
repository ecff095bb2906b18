"""Every published structure of a search gets its figure, or the command says that it did not."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from runners.search.attributes import DEATHS, LABEL, RESULT, WORKER
from runners.search.deaths import give_back
from runners.search.request import SearchRequest
from runners.search.search import Search
from runners.search.storage import open_storage
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


def test_one_that_failed_or_was_cut_off_is_tried_again(begun: Search) -> None:
    labels = list(begun.space.tried_first())
    study = begun.begin()
    for state, failure in (("complete", None), ("failed", "out of memory"), ("pruned", "median")):
        trial = study.ask()
        trial.set_user_attr(RESULT, result(trial.user_attrs[LABEL], state, failure))
        study.tell(trial, 0.5)
    cut_off = study.ask()
    study.tell(cut_off, state=TrialState.FAIL)  # and who was to put it back has died as well
    assert begun.without_figure() == {
        labels[1]: "out of memory",
        labels[2]: "median",
        **dict.fromkeys(labels[3:], "every process that tried it has died"),
    }
    assert queue(begun.begin()) == [*labels[4:], labels[3], *labels[1:3]]
    assert queue(begun.begin()) == [*labels[4:], labels[3], *labels[1:3]]


def test_the_command_says_which_have_none(
    begun: Search, capsys: pytest.CaptureFixture[str]
) -> None:
    from runners.cli.search_structure import _all_is_there

    study = begun.begin()
    for _ in begun.space.tried_first():
        trial = study.ask()
        trial.set_user_attr(RESULT, result(trial.user_attrs[LABEL], "complete"))
        study.tell(trial, 0.5)
    record = type("Record", (), {"trials": begun.trials(), "check": None})()
    assert _all_is_there(begun, record)
    given_up = record.trials[0].model_copy(
        update={"state": "failed", "given_up": True, "failure": "4 workers ended over it"}
    )
    capsys.readouterr()
    with_it = {"trials": (*record.trials, given_up), "check": None}
    assert not _all_is_there(begun, type("Record", (), with_it)())
    assert capsys.readouterr().err == (
        "accuracy 0 was given up: 4 workers ended over it; the same command tries it again\n"
    )
    begun.space = type("Space", (begun.space,), {"tried_first": lambda: {"[FastRE]": {}}})
    capsys.readouterr()
    assert not _all_is_there(begun, record)
    assert capsys.readouterr().err == (
        "the published structure '[FastRE]' has no figure: every process that tried it has died; "
        "the same command tries it again\n"
    )


def test_an_interruption_is_no_death(begun: Search) -> None:
    """However often the user stops the search, the trial goes back into the queue."""
    study, me = begun.begin(), {"host": "here", "pid": 1, "born": 0.0}
    first = queue(study)[0]
    for _ in range(6):
        while (trial := study.ask()).user_attrs.get(LABEL) != first:
            study.tell(trial, 0.5)
        assert DEATHS not in trial.user_attrs
        trial.set_user_attr(WORKER, me)
        study.tell(trial, state=TrialState.FAIL)
        give_back(study, me, begun.out)
        assert queue(study).count(first) == 1
