"""Which structures are trained to the end, and that they wait in the queue once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState

from runners.search.attributes import CHECKED, RESULT, WORKER
from runners.search.check import begin_check, check_epochs, check_of, sample
from runners.search.deaths import Deaths, judge_here, this_worker
from runners.search.request import SearchRequest
from runners.search.search import Search
from runners.search.storage import open_storage
from runners.suite import Request
from suite.errors import SuiteError
from suite.protocol import Protocol
from suite.records.search import Limits, Phase, TrialRecord
from tests import tiny


def trial(f1: float, **changes: object) -> TrialRecord:
    fields = {"phase": "accuracy", "number": round(1000 * f1), "key": f"{f1:.3f}", "label": None}
    rest = {"state": "complete", "choices": {}, "settings": {}, "structure": {}, "dev_f1": f1}
    return TrialRecord.model_validate({**fields, **rest, **changes})


def scores(found: Sequence[TrialRecord]) -> list[float]:
    return [t.dev_f1 or 0.0 for t in found]


def test_it_reaches_from_the_best_to_the_worst() -> None:
    trials = [trial(i / 100) for i in range(20)]
    assert scores(sample(trials, 4, ())) == [0.19, 0.12, 0.07, 0.0]


def test_only_what_is_complete_is_checked_and_once() -> None:
    left_out = (
        trial(0.9, state="pruned"),
        trial(0.8, state="failed", dev_f1=None),
        trial(0.7, duplicate_of=("accuracy", 1)),
    )
    assert scores(sample([*left_out, trial(0.1), trial(0.2)], 6, ())) == [0.2, 0.1]


@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 12))
def test_no_part_is_checked_twice(there: int, count: int, more: int) -> None:
    """However many trials there are, and with whatever is checked already."""
    trials = [trial(i / 100) for i in range(there)]
    first = sample(trials, count, ())
    assert len(first) == len({t.key for t in first}) == min(there, count)
    known = {t.key for t in first}
    assert sample(trials, count, known) == []
    added = sample([*trials, *(trial(0.5 + i / 100) for i in range(more))], count, known)
    assert not known & {t.key for t in added}
    assert len(added) <= count


def test_long_trainings_are_longer() -> None:
    assert check_epochs(0, None, 60) == 180
    assert check_epochs(4, 16, 6) == 16
    with pytest.raises(SuiteError, match="--check-epochs 6 is not more than the 6 epochs"):
        check_epochs(4, 6, 6)
    with pytest.raises(SuiteError, match="a check of 2 structures says nothing"):
        check_epochs(2, None, 6)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_dataset(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture
def begun(dataset: Path, tmp_path: Path) -> Callable[[int], Search]:
    """A search with its check of so many epochs; each is that of another command."""

    def made(epochs: int) -> Search:
        suite = Request((str(dataset),), ("fastre",), (0,), Protocol(epochs=2), tmp_path)
        limits = Limits(latency_ms=0.001)  # no structure keeps to it, and none is left out for that
        request = SearchRequest(suite, 9, 0, 0, limits, "begun", check=4, check_epochs=epochs)
        return Search(request, open_storage(None, tmp_path))

    return made


def test_long_trainings_wait_in_a_study_of_their_own(begun: Callable[[int], Search]) -> None:
    search = begun(5)
    study = search.begin()
    assert begin_check(search).trials == [], "nothing is there to be checked"
    for number in range(5):
        _end(search, study.ask(), "accuracy", 0.1 * number)
    check = begin_check(begun(5))
    waiting = [t.user_attrs[CHECKED] for t in check.get_trials(states=(TrialState.WAITING,))]
    by_score = {t.key: t.dev_f1 for t in search.trials()}
    assert [by_score[key] for key in waiting] == pytest.approx([0.4, 0.2, 0.1, 0.0])
    assert len(begin_check(begun(5)).trials) == 4, "they wait once"
    _end(search, check.ask(), "check", 0.6)
    found = check_of(begun(5))
    assert found is not None
    assert found.epochs == 5
    assert scores(found.trials) == [0.6]
    assert len(search.trials()) == 5, "the check's are not among them"
    assert len(search.ended()) == 6
    with pytest.raises(SuiteError, match="check epochs: 5, now 7"):
        begun(7).begin()
    assert check_of(begun(7)) == found


def test_one_that_its_worker_left_waits_again(begun: Callable[[int], Search]) -> None:
    search = begun(5)
    study = search.begin()
    for number in range(4):
        _end(search, study.ask(), "accuracy", 0.1 * number)
    check = begin_check(search)
    first = check.ask()
    first.set_user_attr(WORKER, {**this_worker(), "pid": 2**22 + 1})  # no process has this id
    Deaths(search.out, judge_here(search.out, journal=True)).put_back(check)
    waiting = check.get_trials(states=(TrialState.WAITING,))
    assert waiting[-1].user_attrs[CHECKED] == first.user_attrs[CHECKED]
    assert len(begin_check(begun(5)).get_trials(states=(TrialState.WAITING,))) == 4


def _end(search: Search, trial: object, phase: Phase, f1: float) -> None:
    """Ends a trial as a worker does, without its training."""
    import optuna

    assert isinstance(trial, optuna.Trial)
    bench, planned = search.bench_of(search.settings_of(trial), phase)
    expected = {"accuracy": 2, "check": 5}[phase]
    assert bench.protocol.epochs == expected
    assert bool(bench.plan.batch_sizes) is (phase == "accuracy"), "latency is known"
    held = TrialRecord(
        phase=phase, number=trial.number, key=planned.configuration, label=None, state="complete",
        choices=trial.params, settings=search.settings_of(trial), structure={}, dev_f1=f1,
    )  # fmt: skip
    trial.set_user_attr(RESULT, held.model_dump_json())
    trial.study.tell(trial, f1)


def test_studies_name_what_they_judge_by(begun: Callable[[int], Search]) -> None:
    search = begun(5)
    accuracy = search.begin()
    assert accuracy.metric_names == ["dev F1"]
    assert begin_check(search).metric_names == ["dev F1"]
    names = ["dev F1", "latency (ms per sentence)", "parameters"]
    assert search.trade_off(accuracy).metric_names == names
