"""Structure searches, real ones, small enough for seconds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import optuna
import psutil
import pytest
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from runners.executors.base import PlannedRun
from runners.executors.local import LocalExecutor
from runners.executors.lock import locked
from runners.runs.run import planned_record
from runners.runs.workbench import Workbench
from runners.search.request import SearchRequest
from runners.search.search import Search
from runners.search.storage import JOURNAL, open_storage
from runners.search.trial import PrunedError, try_structure
from runners.suite import Request
from suite.protocol import Protocol
from suite.records.run import read_record
from suite.records.search import Limits, SearchRecord, TrialRecord, front, read_search
from tests import tiny

pytestmark = pytest.mark.slow

SMALL = (
    *("--epochs", "2", "--threads", "1", "--tracker", "none"),
    *("--finalists", "1", "--seeds", "1", "--trade-offs", "1"),
)


def search(dataset: Path, out: Path, *more: str, env: dict[str, str] | None = None) -> tiny.Ended:
    arguments = ("--dataset", str(dataset), *SMALL, "--out", str(out), *more)
    ended = tiny.forked(_search, arguments, folder=out.parent, env=env, seconds=300)
    assert "Traceback" not in ended.err, ended.err
    assert ended.code is not None, "it hangs"
    return ended


def _search(arguments: tuple[str, ...]) -> None:
    from runners.cli import search_structure as search_cli

    os.environ["PYTHONPATH"] = str(tiny.ROOT)
    sys.argv = ["search-structure", *arguments]
    search_cli.search_structure()


def trained_once(record: SearchRecord, out: Path) -> None:
    """Each structure in one folder, none of them gone on with where nothing was cut off."""
    longs = () if record.check is None else record.check.trials
    own = [t for t in (*record.trials, *longs) if t.duplicate_of is None]
    assert len({t.key for t in own}) == len(own)
    assert {t.key for t in own} == {p.name for p in (out / "trials").iterdir()}


@pytest.fixture(scope="module")
def done(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tiny.Ended]:
    """A search of six structures, one more for the trade-off, and four trained to the end."""
    out = tmp_path_factory.mktemp("search") / "out"
    ended = search(dataset, out, "--trials", "6", "--check", "4", "--check-epochs", "3")
    assert ended.code == 0, ended.err
    return out, ended


def test_a_search_leaves_its_record(done: tuple[Path, tiny.Ended]) -> None:
    out, _ = done
    record = read_search(out / "search.json")
    trained_once(record, out)
    phases = Counter(t.phase for t in record.trials if t.duplicate_of is None)
    assert phases == {"accuracy": 6, "trade-off": 1}
    labels = [t.label for t in record.trials[:5]]
    assert labels == ["FastRE", "3 blocks", "all rates 1", "rates to 32", "9 blocks"]
    for trial in record.trials:
        run = read_record(out / "trials" / trial.key / "record.json")
        assert run.test is None, "a trial has seen test"
        assert not (out / "trials" / trial.key / "predictions.jsonl").exists()
        assert run.dev is not None
        assert trial.dev_f1 == run.dev.partial.f1 == max(trial.epochs)
        assert len(trial.epochs) == 2
        assert run.parameters is not None
        assert trial.parameters == run.parameters.total
        assert trial.latency_ms.keys() == {1, 128}
        assert trial.spent.total > 0
        assert run.training is not None
        assert (trial.alone, trial.measured_alone) == (run.training.alone, True)
    assert record.trials[0].key == record.default_key


def test_some_are_trained_to_the_end(done: tuple[Path, tiny.Ended]) -> None:
    out, _ = done
    record = read_search(out / "search.json")
    assert record.check is not None
    shorts = {str(t.settings): t for t in record.trials if t.duplicate_of is None}
    ranked = sorted((t.dev_f1 or 0.0 for t in shorts.values()), reverse=True)
    chosen = sorted(shorts[str(t.settings)].dev_f1 or 0.0 for t in record.check.trials)
    assert len(record.check.trials) == 4
    assert (chosen[-1], chosen[0]) == (ranked[0], ranked[-1])
    for trial in record.check.trials:
        run = read_record(out / "trials" / trial.key / "record.json")
        assert (run.test, run.inference) == (None, ())
        assert run.protocol.epochs == len(trial.epochs) == 3
        assert trial.state == "complete"
        assert trial.broken == {}
    assert ". Short trials and long ones\n" in (out / "report.md").read_text()


def test_trials_have_values_that_a_dashboard_shows(done: tuple[Path, tiny.Ended]) -> None:
    out, _ = done
    read = JournalStorage(JournalFileBackend(str(out / JOURNAL)))  # as the dashboard does
    studies = {
        name: optuna.load_study(study_name=name, storage=read)
        for name in ("fastre-tiny/accuracy", "fastre-tiny/trade-off", "fastre-tiny/check")
    }
    for study in studies.values():
        assert study.metric_names is not None
        assert study.metric_names[0] == "dev F1"
    record = read_search(out / "search.json")
    for trial in studies["fastre-tiny/accuracy"].trials[:5]:
        held = trial.user_attrs
        known = record.trials[trial.number]
        assert (held["parameters"], held["state"]) == (known.parameters, known.state)
        assert held["latency_ms_batch_1"] == known.latency_ms[1]
        assert held["Dilation rates"] == known.structure["Dilation rates"]
        names = known.structure.keys() | {"peak_memory_mib", "training_seconds", "epochs_trained"}
        assert all(isinstance(held[name], str | int | float) for name in names)


def test_its_finals_are_scored_on_test(done: tuple[Path, tiny.Ended]) -> None:
    out, _ = done
    record = read_search(out / "search.json")
    assert record.finalists[0].variant == "fastre"
    assert len(record.finalists) == 2
    for finalist in record.finalists:
        run = read_record(out / "finals" / "runs" / finalist.variant / "tiny" / "0" / "record.json")
        assert run.status == "complete"
        assert run.test is not None
        assert {c.batch_size for c in run.inference} == {1, 8, 128}
    assert (out / "finals" / "report.md").exists()


def test_its_report_shows_every_part(done: tuple[Path, tiny.Ended]) -> None:
    out, ended = done
    report = (out / "report.md").read_text()
    assert str(out / "report.md") in ended.out
    for heading in ("What to know first", "The finals", "The published structures", "The best"):
        assert f". {heading}" in report
    record = read_search(out / "search.json")
    for trial in record.trials:
        if trial.label:
            assert f"| {trial.name} ({trial.label}) | {trial.structure['L']} |" in report
    for name in ("history", "epochs", "front"):
        assert (out / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert f"figures/{name}.png" in report
    assert record.check is not None
    every = len(record.trials) + len(record.check.trials)
    assert len((out / "trials.csv").read_text().splitlines()) == 1 + every


def test_run_suite_trains_the_best_structure(
    done: tuple[Path, tiny.Ended], dataset: Path, tmp_path: Path
) -> None:
    out, _ = done
    best = yaml.safe_load((out / "best.yaml").read_text())
    assert best["system"] == "fastre"
    arguments = ("--dry-run", "--dataset", dataset, "--system", out / "best.yaml")
    ended = tiny.command("run_suite", *arguments, folder=tmp_path)
    assert ended.code == 0, ended.err
    assert "\nbest " in ended.out


def test_more_trials_add_to_a_search_and_other_conditions_are_refused(
    done: tuple[Path, tiny.Ended], dataset: Path
) -> None:
    out, _ = done
    refused = search(dataset, out, "--trials", "6", "--epochs", "3")
    assert refused.code == 2
    assert "was begun with something else (" in refused.err
    assert "epochs: 2, now 3" in refused.err
    before = {p: p.stat().st_mtime_ns for p in (out / "trials").glob("*/record.json")}
    more = search(dataset, out, "--trials", "7")
    assert more.code == 0, more.err
    record = read_search(out / "search.json")
    trained_once(record, out)
    assert sum(t.phase == "accuracy" and not t.duplicate_of for t in record.trials) == 7
    assert all(p.stat().st_mtime_ns == then for p, then in before.items())


def test_limits_that_nothing_keeps_are_said(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    limit = ("--max-latency", "0.001", "--trade-offs", "0")
    ended = search(dataset, out, "--trials", "2", *limit)
    assert ended.code == 1
    assert "no structure keeps to the limits" in ended.err
    record = read_search(out / "search.json")
    assert all(t.broken["latency"] > 0 for t in record.trials)
    assert [f.variant for f in record.finalists] == ["fastre"]
    assert "**No structure does**; the quickest takes" in (out / "report.md").read_text()


@pytest.mark.parametrize("storage", ["journal", "postgresql"])
def test_a_worker_that_is_killed_costs_nothing(
    storage: str, dataset: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Two workers on one storage; one dies in the middle of a training."""
    out = tmp_path / "out"
    arguments = ("--dataset", str(dataset), *SMALL, "--out", str(out))
    more = ("--trials", "6", "--workers", "2", "--epochs", "8", "--trade-offs", "0")
    if storage == "postgresql":
        more += ("--storage", request.getfixturevalue("postgresql"), "--name", "killed")
    code = f"from tests.runners.search.test_search import _search; _search({(*arguments, *more)!r})"
    command = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=tiny.environment(PYTHONPATH=str(tiny.ROOT)),
    )
    victim, folder = _training_worker(command.pid, out)
    victim.kill()
    said, _ = command.communicate(timeout=600)
    assert command.returncode == 0, said
    assert f"a worker ended with {-signal.SIGKILL}; the others did its work" in said
    record = read_search(out / "search.json")
    trained_once(record, out)
    own = [t for t in record.trials if t.duplicate_of is None]
    assert len(own) == 6
    assert all(t.state in {"complete", "pruned"} for t in own), [t.failure for t in own]
    assert folder.name in {t.key for t in own}, "the victim's structure is lost"
    history = (folder / "history.jsonl").read_text().splitlines()
    epochs = [json.loads(line)["epoch"] for line in history]
    assert epochs == sorted(set(epochs))
    with locked(folder, wait=0):
        pass


def _training_worker(pid: int, out: Path) -> tuple[psutil.Process, Path]:
    """A worker whose fork has ended an epoch, with the folder that it trains in."""
    ends = time.monotonic() + 300
    while time.monotonic() < ends:
        with suppress(psutil.NoSuchProcess):  # a fork that ends while it is looked at
            for worker in psutil.Process(pid).children():
                for fork in worker.children():
                    for folder in out.glob("trials/*"):
                        held = any(f.path.startswith(str(folder)) for f in fork.open_files())
                        if held and (folder / "history.jsonl").exists():
                            return worker, folder
        time.sleep(0.05)
    raise AssertionError("no worker trains")


def test_two_machines_share_a_search(postgresql: str, dataset: Path, tmp_path: Path) -> None:
    """The same command with a folder of its own each: both end with the whole search.

    They share its trials; each does the finals, whose scores are equal.
    """
    shared = ("--storage", postgresql, "--name", "shared", "--trials", "3")
    commands = []
    for name in ("a", "b"):
        arguments = ("--dataset", str(dataset), *SMALL, "--out", str(tmp_path / name), *shared)
        code = f"from tests.runners.search.test_search import _search; _search({arguments!r})"
        commands.append(
            subprocess.Popen(
                [sys.executable, "-c", code],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                env=tiny.environment(PYTHONPATH=str(tiny.ROOT)),
            )
        )
    for command in commands:
        _, said = command.communicate(timeout=600)
        assert command.returncode == 0, said
    a, b = (read_search(tmp_path / name / "search.json") for name in ("a", "b"))
    assert a.trials == b.trials
    assert a.finalists == b.finalists
    own = {t.key for t in a.trials if t.duplicate_of is None}
    folders = [{p.name for p in (tmp_path / n / "trials").glob("*")} for n in ("a", "b")]
    assert folders[0] | folders[1] == own
    assert not folders[0] & folders[1], "trained twice"
    for finalist in a.finalists:
        one, two = (
            read_record(
                tmp_path / n / "finals" / "runs" / finalist.variant / "tiny" / "0" / "record.json"
            )
            for n in ("a", "b")
        )
        assert (one.dev, one.test) == (two.dev, two.test)
    assert "127.0.0.1" in " ".join(a.command)


def test_a_pruned_structure_is_recorded_and_timed(dataset: Path, tmp_path: Path) -> None:
    plan = tiny.make_plan(dataset, epochs=50, test=False)
    bench = Workbench(plan)
    heard = []

    def on_epoch(epoch: int, f1: float) -> None:
        heard.append(epoch)
        if epoch == 2:
            raise PrunedError

    folder = tmp_path / "run"
    run = PlannedRun(plan, folder, planned_record(bench, ""))
    found = try_structure(run, LocalExecutor(), on_epoch)
    assert heard == [1, 2]
    assert found.fields()["state"] == "pruned"
    assert found.fields()["latency_ms"].keys() == {1}
    assert len(found.epochs) < 50
    record = read_record(folder / "record.json")
    assert record.status == "pruned"
    assert str(record.failure).startswith("after epoch ")


def _begun(dataset: Path, out: Path, worker: int = 0, epochs: int = 60) -> Search:
    """A search that finds nothing there."""
    suite = Request((str(dataset),), ("fastre",), (0,), Protocol(epochs=epochs), out)
    request = SearchRequest(suite, 9, 0, 0, Limits(), "begun")
    return Search(request, open_storage(None, out, dry=True), worker)


@pytest.mark.parametrize(("epochs", "earliest"), [(6, 2), (60, 12)])
def test_a_rising_score_under_the_median_is_pruned(
    epochs: int, earliest: int, dataset: Path, tmp_path: Path
) -> None:
    study = _begun(dataset, tmp_path, epochs=epochs).begin()

    def pruned_after(slope: float) -> int | None:
        trial = study.ask()
        for epoch in range(1, epochs + 1):
            trial.report(slope * epoch, epoch)
            if trial.should_prune():
                study.tell(trial, state=TrialState.PRUNED)
                return epoch
        study.tell(trial, slope * epochs)
        return None

    assert [pruned_after(s) for s in (0.1, 0.5, 0.3, 0.2, 0.4)] == [None] * 5, "too few to judge"
    assert pruned_after(0.25) == earliest
    assert pruned_after(0.35) is None


def test_numbers_in_steps_have_no_digits_of_adding_up(dataset: Path, tmp_path: Path) -> None:
    begun = _begun(dataset, tmp_path)
    published = dict(begun.space.tried_first()["FastRE"])
    study = optuna.create_study()
    for step in range(9):
        study.enqueue_trial({**published, "dropout": 0.05 * step})
    found = [begun.settings_of(study.ask())["dropout"] for _ in range(9)]
    assert found == [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4]


def _asked(dataset: Path, out: Path, worker: int) -> list[dict[str, Any]]:
    """The first choices of a worker."""
    begun = _begun(dataset, out, worker)
    study = begun.begin()
    asked = []
    for number in range(9):
        trial = study.ask()
        begun.settings_of(trial)
        study.tell(trial, 1 / (1 + number))
        asked.append(trial.params)
    return asked


def test_a_search_asks_for_the_same_structures_again(dataset: Path, tmp_path: Path) -> None:
    first = _asked(dataset, tmp_path, 0)
    assert _asked(dataset, tmp_path, 0) == first
    other = _asked(dataset, tmp_path, 1)
    assert other[:5] == first[:5], "the published structures come first"
    assert other[5:] != first[5:]


def test_a_dry_run_writes_nothing(dataset: Path, tmp_path: Path) -> None:
    ended = search(dataset, tmp_path / "out", "--trials", "4", "--dry-run")
    assert ended.code == 0, ended.err
    assert "4 + 1" in ended.out
    assert list(tmp_path.iterdir()) == []


def test_a_storage_that_does_not_answer(dataset: Path, tmp_path: Path) -> None:
    url = "postgresql://someone:secret@127.0.0.1:1/searches"
    ended = search(dataset, tmp_path / "out", "--trials", "1", "--storage", url)
    assert ended.code == 2
    assert "the storage 'postgresql://...@127.0.0.1:1/searches' cannot be used" in ended.err
    assert "secret" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--system", "gazeteer"), "unknown system 'gazeteer'"),
        (("--system", "gazetteer"), "gazetteer has no search space. See CONTRIBUTING.md"),
        (("--system", "fastner", "--pretrained", "untrained"), "does not do the task 'triples'"),
        (("--set", "fastre.gait=none"), "Did you mean 'gate'?"),
        (("--trials", "0"), "greater than or equal to 1"),
        (("--pruner", "halve"), "'halve'"),
        (("--check", "2"), "a check of 2 structures says nothing of their order"),
        (("--check", "4", "--check-epochs", "2"), "is not more than the 2 epochs of a trial"),
        (("--warm-start", "nowhere"), "nowhere: holds no search"),
    ],
)
def test_a_mistake_is_answered(
    dataset: Path, env: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    ended = search(dataset, tmp_path / "out", *arguments, env=env)
    assert ended.code == 2
    assert message in " ".join(ended.err.replace("│", " ").split())
    assert not (tmp_path / "out" / "trials").exists()


def trial(f1: float, latency: float, parameters: int) -> TrialRecord:
    return TrialRecord(
        phase="accuracy", number=0, key=f"{f1}-{latency}-{parameters}", label=None,
        state="complete", choices={}, settings={}, structure={}, dev_f1=f1,
        latency_ms={1: latency}, parameters=parameters,
    )  # fmt: skip


def test_the_front_holds_what_nothing_beats() -> None:
    best, quick, small = trial(0.9, 3, 100), trial(0.8, 1, 100), trial(0.7, 3, 10)
    beaten = [trial(0.8, 1, 101), trial(0.79, 2, 100), trial(0.7, 3.5, 10)]
    trials = [best, quick, *beaten, small]
    assert front(trials, lambda t: t.latency_ms[1], lambda t: t.size) == [best, quick, small]


def test_nothing_lies_about_in_the_journal(done: tuple[Path, tiny.Ended]) -> None:
    out, _ = done
    lines = (out / JOURNAL).read_text().splitlines()
    assert all(json.loads(line) for line in lines)
