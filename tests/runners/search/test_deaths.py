"""Trials whose worker has died: none is lost, and none costs all workers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from runners.executors.base import PlannedRun
from runners.search import deaths, worker
from runners.search.attributes import DEATHS, DRIVER, RESULT, STRUCTURE, WORKER
from runners.search.deaths import MOST_DEATHS, Deaths, driven, judge_here, put_back, this_worker
from runners.search.request import SearchRequest
from runners.search.search import Search
from runners.search.storage import open_storage
from runners.search.trial import Outcome
from runners.search.worker import Worker, _is_surplus
from runners.suite import Request
from suite.errors import SuiteError
from suite.protocol import Protocol
from suite.records.run import RunRecord
from suite.records.search import Limits, Spent
from tests import tiny


@pytest.fixture
def study(tmp_path: Path) -> optuna.Study:
    """A study with a journal."""
    return optuna.create_study(storage=open_storage(None, tmp_path))


def taken_up(study: optuna.Study, by: Mapping[str, Any] | None = None) -> optuna.Trial:
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    if by is not None:
        trial.set_user_attr(WORKER, dict(by))
    return trial


def states(study: optuna.Study) -> list[TrialState]:
    return [trial.state for trial in study.trials]


def test_a_trial_of_the_dead_goes_back_once_with_its_choices(
    study: optuna.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    first = taken_up(study, {"name": "a"})
    first.set_user_attr(RESULT, "half a result")
    taken_up(study, {"name": "b"})
    noticed = [
        Deaths(tmp_path, lambda who: "/home/someone/x fell\n" if who["name"] == "a" else None)
        for _ in range(2)
    ]
    for one in noticed * 2:
        one.put_back(study)
    assert states(study) == [TrialState.FAIL, TrialState.RUNNING, TrialState.WAITING]
    queued = study.trials[2]
    assert queued.params == first.params
    assert WORKER not in queued.user_attrs, "it would be taken for dead as it is taken up"
    assert RESULT not in queued.user_attrs
    assert queued.user_attrs[DEATHS] == {"epochs": 0, "said": ["~/x fell"]}


def test_one_that_nobody_put_a_name_to_has_time(
    study: optuna.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_up(study)
    one = Deaths(tmp_path, lambda _: None)
    one.put_back(study)
    assert states(study) == [TrialState.RUNNING]
    monkeypatch.setattr(deaths, "SETTLED_SECONDS", 0.0)
    one.put_back(study)
    assert states(study) == [TrialState.FAIL, TrialState.WAITING]


def test_one_whose_rescuer_died_as_well_is_put_back(
    study: optuna.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.tell(taken_up(study), state=TrialState.FAIL)
    one = Deaths(tmp_path, lambda _: None)
    one.put_back(study)
    assert states(study) == [TrialState.FAIL], "its rescuer may be about to"
    monkeypatch.setattr(deaths, "SETTLED_SECONDS", 0.0)
    for _ in range(2):
        one.put_back(study)
    assert states(study) == [TrialState.FAIL, TrialState.WAITING]


def test_deaths_before_its_training_came_further_do_not_count(
    study: optuna.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    for epochs in (0, 0, 1, 1, 3):
        histories = {tmp_path / "trials" / "key": range(epochs)}
        monkeypatch.setattr(deaths, "read_history", histories.__getitem__)
        trial = taken_up(study)
        trial.set_user_attr(STRUCTURE, "key")
        study.tell(trial, state=TrialState.FAIL)
        put_back(study, study.trials[-1], tmp_path, "it fell")
        said.append(len(study.trials[-1].user_attrs[DEATHS]["said"]))
    assert said == [1, 2, 1, 2, 1]


def test_who_judges_whom(tmp_path: Path) -> None:
    gone = {**this_worker(), "born": 0.0}
    on_ray = {**gone, DRIVER: "command"}
    journal, database = (judge_here(tmp_path, journal=kind) for kind in (True, False))
    assert (journal(this_worker()), journal(gone)) == (None, "its process ended")
    assert journal({**gone, "host": "elsewhere"}) is None
    assert database(on_ray) is None, "whose heartbeat tells"
    assert journal(on_ray) == "its command ended"
    with driven(tmp_path, "command"):
        assert (tmp_path / deaths.DRIVEN).read_text() == "command"
        assert journal(on_ray) is None
    assert journal(on_ray) == "its command ended"


def test_one_command_at_a_time_answers_for_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deaths, "DRIVEN_WAIT_SECONDS", 0.0)
    with (
        driven(tmp_path, "one"),
        pytest.raises(SuiteError, match="another command searches here"),
        driven(tmp_path, "two"),
    ):
        pass


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_dataset(tmp_path_factory.mktemp("data") / "tiny")


def search_of(dataset: Path, out: Path) -> Search:
    suite = Request((str(dataset),), ("fastre",), (0,), Protocol(epochs=2), out)
    return Search(SearchRequest(suite, 6, 0, 0, Limits(), "begun"), open_storage(None, out))


class Fatal:
    """Ends the worker that tries one structure, as long as it is asked to."""

    def __init__(self) -> None:
        self.over: str | None = None
        self.fatal = True

    def __call__(self, run: PlannedRun, *_: object) -> Outcome:
        self.over = self.over or run.planned.configuration
        if self.fatal and run.planned.configuration == self.over:
            raise MemoryError("no memory is left")
        record: RunRecord = run.planned.model_copy(update={"status": "complete"})
        return Outcome(record, (0.5,), Spent())


def test_what_costs_every_worker_is_kept_as_failed_and_tried_again_by_the_next_command(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fatal = Fatal()
    monkeypatch.setattr(worker, "try_structure", fatal)
    search = search_of(dataset, tmp_path)
    search.space = type("Space", (search.space,), {"tried_first": lambda: {}})
    search.begin()
    for _ in range(MOST_DEATHS):
        with pytest.raises(MemoryError):
            Worker(search, print, forks=False).work()
    Worker(search, print, forks=False).work()
    (given_up,) = search.given_up()
    assert given_up.key == fatal.over
    assert given_up.state == "failed"
    assert given_up.failure == (
        "4 workers ended over it, and its training came no further: no memory is left"
    )
    assert len(search.trials()) == 6
    fatal.fatal = False
    for _ in range(2):
        (waiting,) = search.begin().get_trials(states=(TrialState.WAITING,))
        assert waiting.system_attrs["fixed_params"] == given_up.choices
    Worker(search, print, forks=False).work()
    assert not search.given_up()
    ended = [t for t in search.trials() if t.duplicate_of is None]
    assert len({t.key for t in ended}) == len(ended) == 6
    assert all(t.state == "complete" for t in ended)


def test_no_more_are_begun_than_were_asked_for(study: optuna.Study) -> None:
    """Where others began theirs between a worker's count and its own trial."""
    for _ in range(2):
        taken_up(study, this_worker())
    third = study.ask()
    assert _is_surplus(third, 2)
    assert not _is_surplus(third, 3)
    study.enqueue_trial({"x": 0.5})
    assert not _is_surplus(study.ask(), 2), "what is in the queue is always wanted"
