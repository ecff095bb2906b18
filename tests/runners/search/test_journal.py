"""The journal of a search, cut off, damaged, held and on a full disk."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.trial import TrialState

from runners.search.journal import JournalFile, sound_part
from runners.search.storage import JOURNAL, open_storage
from suite.errors import SuiteError
from tests import tiny

NAME = "search"


def opened(folder: Path, *, dry: bool = False) -> optuna.Study:
    storage = open_storage(None, folder, dry=dry)
    return optuna.create_study(storage=storage, study_name=NAME, load_if_exists=True)


def tried(study: optuna.Study, count: int) -> None:
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=count)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The journal of two trials."""
    tried(opened(tmp_path / "out"), 2)
    return tmp_path / "out" / JOURNAL


def test_a_journal_that_is_cut_at_any_byte_opens_and_goes_on(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At every byte of the lines of its last trial, and a trial is added to what is left."""
    whole = journal.read_bytes()
    lines = whole.splitlines(keepends=True)
    for size in range(len(whole) - sum(map(len, lines[-3:])), len(whole)):
        journal.write_bytes(whole[:size])
        torn = not whole[:size].endswith(b"\n")
        capsys.readouterr()
        study = opened(journal.parent)
        said = capsys.readouterr().err
        assert ("of a write that was cut off are cut from it" in said) is torn, size
        assert study.trials[0].state == TrialState.COMPLETE
        assert len(study.trials) in {1, 2}
        study.add_trial(optuna.trial.create_trial(value=0.5))
        assert opened(journal.parent).trials[-1].value == 0.5
        assert all(map(json.loads, journal.read_bytes().splitlines()))


def test_what_was_written_right_behind_half_a_line_is_kept(journal: Path) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:-1], lines[-1][:20], lines[-1]]))
    assert [t.state for t in opened(journal.parent).trials] == [TrialState.COMPLETE] * 2
    assert journal.read_bytes().startswith(b"".join(lines))
    assert sound_part(b'\0\0\0{"op_code":1}\nnonsense\n[1]\n{"op_code":2}') == b'{"op_code":1}\n'


def test_a_dry_run_mends_nothing(journal: Path) -> None:
    journal.write_bytes(journal.read_bytes()[:-5])
    before = journal.read_bytes()
    assert len(opened(journal.parent, dry=True).trials) == 2
    assert journal.read_bytes() == before


def test_who_is_under_way_while_a_writer_dies_goes_on(journal: Path) -> None:
    """The half line of a writer that was killed is passed over, then cut off by the next write."""
    study = opened(journal.parent)
    for size in (1, 30):
        with journal.open("ab") as file:
            file.write(b'{"op_code":5,"worker_id":"another"'[:size])
        assert len(study.trials) == 1 + size // 30 + 1
        tried(study, 1)
    assert len(opened(journal.parent).trials) == 4


def test_a_write_that_finds_no_space_at_any_byte_leaves_whole_lines(journal: Path) -> None:
    """The kernel's limit of a file's size stops a write within a line, as a full disk does."""
    study = opened(journal.parent)
    before = journal.read_bytes()
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    for more in range(0, 60, 3):
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + more, most))
            with pytest.raises(SuiteError, match=r"File too large\. Free some space") as caught:
                study.add_trial(optuna.trial.create_trial(value=0.5))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        assert caught.value.where == str(journal)
        assert journal.read_bytes() == before, more
    tried(study, 1)
    assert len(opened(journal.parent).trials) == 3


def test_a_lock_that_another_version_left_is_no_lock(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Optuna's is a link, dangling where the path is relative."""
    monkeypatch.chdir(journal.parent.parent)
    Path(f"out/{JOURNAL}.lock").symlink_to(f"out/{JOURNAL}")
    tried(opened(Path("out")), 1)
    assert len(opened(Path("out")).trials) == 3


def test_a_holder_that_is_killed_lets_go(journal: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from runners.search.journal import *\n"
        "journal = JournalFile(Path(sys.argv[1]))\n"
        "with journal._held(): print('held', flush=True); time.sleep(300)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, journal],
        stdout=subprocess.PIPE,
        cwd=tiny.ROOT,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(SuiteError, match="another process holds the journal"):
            JournalFile(journal, wait=0.01)
        holder.kill()
    assert len(JournalStorage(JournalFile(journal, wait=5)).get_all_studies()) == 1


@pytest.mark.parametrize("content", [b'{"op_code":3}\n', b'{"op_code":99,"worker_id":"a"}\n'])
def test_what_is_no_search_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / JOURNAL).write_bytes(content)
    with pytest.raises(SuiteError, match="is no journal of a search") as caught:
        open_storage(None, tmp_path)
    assert caught.value.where == str(tmp_path / JOURNAL)
    assert caught.value.remedy


def test_a_journal_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).mkdir()
    with pytest.raises(SuiteError, match="cannot be read or written: Is a directory"):
        open_storage(None, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(SuiteError, match="file: cannot be made"):
        open_storage(None, tmp_path / "file")


def test_readers_do_not_wait_for_one_another(journal: Path) -> None:
    one = JournalFile(journal, wait=0.01)
    with one._held(shared=True):
        assert len(list(one.read_logs(0))) == len(journal.read_bytes().splitlines())
