"""Whatever W&B meets, the run goes on, and its user is told once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.runners.tracking.tracked import (
    an_epoch,
    files_of,
    read_only,
    run_python,
    start,
    use_after_failure,
)

pytestmark = pytest.mark.usefixtures("private_wandb")


@pytest.mark.parametrize("kind", ["a file", "below a file", "read-only"])
def test_a_folder_that_cannot_be_written_warns_once(
    tmp_path: Path, warnings: list[str], kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    if kind == "read-only":
        folder = Path("/proc/relation-suite")  # which refuses root as well
        if not folder.parent.is_dir():
            pytest.skip("no /proc here, the one folder that nobody can write")
    else:
        folder.write_text("")
        folder = folder / "below" if kind == "below a file" else folder
    tracker = start(folder, warnings)
    assert len(warnings) == 1, "W&B has moved to the folder for temporary files"
    assert str(folder) in warnings[0]
    use_after_failure(tracker)
    assert len(warnings) == 1
    assert capfd.readouterr() == ("", "")


def test_no_wandb_warns_once(
    tmp_path: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    use_after_failure(start(tmp_path, warnings))
    monkeypatch.undo()
    assert len(warnings) == 1
    assert "wandb" in warnings[0]


@pytest.mark.parametrize("broken", ["init", "Settings", "setup"])
def test_a_wandb_that_does_not_start_warns_once(
    tmp_path: Path, warnings: list[str], broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wandb

    def fail(*_: object, **__: object) -> None:
        raise TypeError("no such\n argument")

    monkeypatch.setattr(wandb, broken, fail)
    use_after_failure(start(tmp_path, warnings))
    assert len(warnings) == 1
    assert "no such argument" in warnings[0]


@pytest.mark.parametrize("broken", ["log", "save", "finish"])
def test_a_wandb_that_breaks_within_the_run_warns_once(
    tmp_path: Path, warnings: list[str], broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wandb

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    tracker = start(tmp_path, warnings)
    with monkeypatch.context() as patch:
        patch.setattr(wandb.Run, broken, fail)
        use_after_failure(tracker)
    assert len(warnings) == 1
    assert "broken" in warnings[0]


def test_a_file_that_is_not_there_warns_once(tmp_path: Path, warnings: list[str]) -> None:
    tracker = start(tmp_path, warnings)
    tracker.keep([tmp_path / "missing.md"])
    use_after_failure(tracker)
    assert len(warnings) == 1
    assert "missing.md" in warnings[0]


def test_a_dead_service_warns_once_and_the_next_run_has_a_new_one(tmp_path: Path) -> None:
    code = f"""
        import time
        import psutil
        from pathlib import Path
        from tests.runners.tracking.tracked import *
        warnings = []
        tracker = start(Path({str(tmp_path)!r}, "first"), warnings)
        tracker.log(an_epoch(1))
        for service in psutil.Process().children(recursive=True):
            service.kill()
            service.wait()
        for number in range(2, 200):
            tracker.log(an_epoch(number))
            time.sleep(0.01)
            if warnings:
                break
        use_after_failure(tracker)
        assert len(warnings) == 1, warnings
        tracker = start(Path({str(tmp_path)!r}, "second"), warnings)
        tracker.log(an_epoch(1))
        tracker.finish(failed=False)
        assert len(warnings) == 1, warnings
    """
    done = run_python(code)
    assert (done.returncode, done.stderr) == (0, "")
    from tests.runners.tracking.wandb_file import history

    assert len(history(read_only(tmp_path / "second"))) == 1


def test_a_disk_that_fills_up_warns_once(tmp_path: Path) -> None:
    code = f"""
        import resource
        from pathlib import Path
        from tests.runners.tracking.tracked import *
        warnings = []
        tracker = start(Path({str(tmp_path)!r}), warnings)
        tracker.log(an_epoch(1))
        assert warnings == []
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
        tracker.log(an_epoch(2))
        use_after_failure(tracker)
        assert len(warnings) == 1, warnings
        assert "File too large" in warnings[0], warnings
    """
    done = run_python(code)
    assert (done.returncode, done.stderr) == (0, "")


def test_online_without_an_account_is_offline_and_does_not_ask(
    tmp_path: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from wandb.errors import term

    from tests.runners.tracking.wandb_file import history

    def ask(*_: object, **__: object) -> str:
        raise AssertionError("asked the user")

    monkeypatch.setattr(term, "can_use_terminput", lambda: True)
    monkeypatch.setattr(term, "terminput", ask)
    monkeypatch.setattr("builtins.input", ask)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    tracker = start(tmp_path, warnings, online=True)
    tracker.log(an_epoch(1))
    tracker.finish(failed=False)
    assert len(warnings) == 1
    assert "no account" in warnings[0]
    assert "wandb sync" in warnings[0]
    assert len(history(read_only(tmp_path))) == 1


def test_online_with_a_key_that_no_server_takes_is_offline(
    tmp_path: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "too short")
    start(tmp_path, warnings, online=True).finish(failed=False)
    assert len(warnings) == 1
    assert "API key" in warnings[0]
    assert len(files_of(tmp_path)) == 1


def test_no_tracker_imports_no_wandb_and_touches_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "untouched"
    code = f"""
        import sys
        from pathlib import Path
        from tests.runners.tracking.tracked import *
        assert not [name for name in sys.modules if name.split(".")[0] == "wandb"], "on import"
        warnings = []
        use_after_failure(start(Path({str(folder)!r}), warnings, tracker="none"))
        assert not [name for name in sys.modules if name.split(".")[0] == "wandb"], "started"
        assert warnings == []
    """
    done = run_python(code)
    assert (done.returncode, done.stderr) == (0, "")
    assert not folder.exists()
