"""OUT as a URL: what is fetched, what is sent, what is left alone, and who may."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from runners.executors.base import Ended, Measured, PlannedRun, Progressed
from runners.remote import lease
from runners.remote.lease import Lease
from runners.remote.mirror import Mirror, base_of, bring_states, local_folder
from runners.remote.store import Store
from runners.runs.run import planned_record
from runners.runs.workbench import Workbench
from suite.errors import SuiteError
from tests import tiny

RUN = "runs/fastre/tiny/0"
SCHEMES = ("memory", "file")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "SETTLES", 0.0)


@pytest.fixture(params=SCHEMES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of a store that writes objects, and of one that renames files."""
    name = secrets.token_hex(4)
    yield f"memory://{name}/out" if request.param == "memory" else f"file://{tmp_path}/{name}/out"
    MemoryFileSystem.store.clear()


def put(url: str, **files: str) -> None:
    """Another machine's files; `__` stands for a slash."""
    store = Store(url)
    for name, content in files.items():
        store.write(name.replace("__", "/"), content.encode())


def content(url: str) -> dict[str, str]:
    store = Store(url)
    return {name: (store.read(name) or b"").decode() for name in store.files()}


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_what_is_there_comes_and_what_is_new_goes(url: str) -> None:
    put(url, runs__a__d__0__record="old", report="theirs")
    with Mirror(url).opened() as mirror:
        assert mirror.folder.name == "out"
        assert (mirror.folder / "runs/a/d/0/record").read_text() == "old"
        write(mirror.folder, f"{RUN}/record.json", "new")
        write(mirror.folder, f"{RUN}/.lock", "")
        (mirror.folder / "report").unlink()
        assert lease.NAME in content(url)
    assert content(url) == {
        "runs/a/d/0/record": "old",
        "report": "theirs",
        f"{RUN}/record.json": "new",
    }


def test_what_this_command_sent_goes_with_it(url: str) -> None:
    with Mirror(url).opened() as mirror:
        write(mirror.folder, f"{RUN}/checkpoint/last.pt", "weights")
        write(mirror.folder, "runs/fastre/tiny/1/history.jsonl", "{}")
        mirror.send(RUN)
        assert content(url).keys() - {lease.NAME} == {f"{RUN}/checkpoint/last.pt"}
        (mirror.folder / RUN / "checkpoint" / "last.pt").unlink()
        write(mirror.folder, f"{RUN}/record.json", "done")
    assert content(url).keys() == {f"{RUN}/record.json", "runs/fastre/tiny/1/history.jsonl"}


def test_only_what_differs_is_fetched_and_sent(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []
    fetch, send = Store.fetch, Store.send
    monkeypatch.setattr(Store, "fetch", lambda s, n, f: (moved.extend(n), fetch(s, n, f)))
    monkeypatch.setattr(Store, "send", lambda s, f: (moved.extend(f), send(s, f)))
    put(url, a="1", b="1")
    with Mirror(url).opened():
        assert sorted(moved) == ["a", "b"]
    moved.clear()
    put(url, b="2")
    with Mirror(url).opened() as mirror:
        assert moved == ["b"]
        assert (mirror.folder / "b").read_text() == "2"
        write(mirror.folder, "a", "3")
    assert moved == ["b", "a"]
    Store(url).delete(["b"])
    with Mirror(url).opened() as mirror:
        assert not (mirror.folder / "b").exists(), "it was deleted there, to be done again"
    assert content(url) == {"a": "3"}


def test_another_command_is_refused_until_the_lease_is_old(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(age: float) -> None:
        held = Lease(id="x", command=("run-suite",), since="then", renewed=time.time() - age)
        Store(url).write(lease.NAME, held.model_dump_json().encode())

    other(age=60)
    message = r"works there since then \(run-suite\).*300 s ago"
    with pytest.raises(SuiteError, match=message), Mirror(url).opened():
        pytest.fail("it is held")
    other(age=301)
    with Mirror(url).opened() as mirror:
        other(age=0)
        write(mirror.folder, "record", "of the one that was thought dead")
        with pytest.raises(SuiteError, match="another command has taken this folder over"):
            mirror.send()
        with pytest.raises(SuiteError, match="another command has taken"):
            mirror.send()
        (mirror.folder / "record").unlink()
    assert "record" not in content(url)
    assert lease.NAME in content(url), "it is the other's"


def test_a_dead_command_of_this_machine_is_gone_on_with_at_once(url: str) -> None:
    """What it had not sent is here still, and as new as what is there."""
    busy = pytest.raises(SuiteError, match="another command of this machine")
    with busy, Mirror(url).opened(), Mirror(url).opened():
        pytest.fail("it is held")
    with Mirror(url).opened() as mirror:
        write(mirror.folder, f"{RUN}/history.jsonl", "1")
        write(mirror.folder, f"{RUN}/run.json", "{}")
        write(mirror.folder, f"{RUN}/checkpoint/last.pt", "1")
        left = Store(url).read(lease.NAME)
        memory = (base_of(url) / "lease").read_text()
    assert left is not None
    put(url, **{f"{RUN.replace('/', '__')}__history.jsonl": "1, in the midst of being sent"})
    write(local_folder(url), f"{RUN}/history.jsonl", "1 2")
    write(local_folder(url), f"{RUN}/record.json", "unsent")
    put(url, theirs="1")
    Store(url).write(lease.NAME, left)
    (base_of(url) / "lease").write_text(memory)
    with Mirror(url).opened() as mirror:
        (mirror.folder / RUN / "checkpoint" / "last.pt").unlink()
        (mirror.folder / "theirs").unlink()
    assert content(url) == {
        "theirs": "1",
        f"{RUN}/history.jsonl": "1 2",
        f"{RUN}/run.json": "{}",
        f"{RUN}/record.json": "unsent",
    }


def test_a_run_that_another_machine_went_on_with_is_taken_as_it_is_there(url: str) -> None:
    with Mirror(url).opened() as mirror:
        write(mirror.folder, f"{RUN}/history.jsonl", "1")
    write(local_folder(url), f"{RUN}/checkpoint/last.pt", "of epoch 2, never sent")
    put(url, **{f"{RUN.replace('/', '__')}__history.jsonl": "1 2 3"})
    with Mirror(url).opened() as mirror:
        assert not (mirror.folder / RUN / "checkpoint" / "last.pt").exists()
        assert (mirror.folder / RUN / "history.jsonl").read_text() == "1 2 3"


def test_no_name_leads_out_of_the_folder(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Store.files
    monkeypatch.setattr(Store, "files", lambda s: {**files(s), "runs/../../../x": "", ".y": ""})
    with Mirror(url).opened() as mirror:
        assert not [path for path in base_of(url).rglob("*") if path.name in {"x", ".y"}]
        assert not list(mirror.folder.iterdir())


def test_a_store_that_cannot_be_listed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks empty, as if all had been deleted there."""
    with Mirror(url).opened() as mirror:
        write(mirror.folder, "a", "1")
    monkeypatch.setattr(Store, "files", lambda _: {})
    with pytest.raises(SuiteError, match="its files cannot be listed"), Mirror(url).opened():
        pytest.fail("it cannot be known")
    assert (local_folder(url) / "a").exists()


def test_runs_are_sent_as_they_end_and_checkpoints_now_and_then(
    url: str, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    send = Store.send
    monkeypatch.setattr(Store, "send", lambda s, f: (sent.extend(f), send(s, f)))
    with Mirror(url).opened() as mirror:
        plan = tiny.make_plan(dataset)
        record = planned_record(Workbench(plan), started="")
        one, two = (
            PlannedRun(plan, mirror.folder / "runs" / "fastre" / "tiny" / seed, record)
            for seed in "01"
        )
        for run in (one, two):
            write(run.folder, "checkpoint/last.pt", "1")
        mirror.heard(Progressed(one, {"epoch": 1.0}))
        assert sent == [], "between epochs there is no new checkpoint"
        mirror.heard(Progressed(one, {"epoch": 1.0, "dev_f1": 0.5}))
        assert len(sent) == 2
        for run in (one, two):
            write(run.folder, "checkpoint/last.pt", "1 2")
        mirror.heard(Progressed(one, {"epoch": 2.0, "dev_f1": 0.5}))
        assert len(sent) == 2, "a moment ago"
        for name in ("record.json", "predictions.jsonl"):
            write(one.folder, name, "{}")
        mirror.heard(Measured(one, 1.0))
        assert len(sent) == 2, "nothing is sent between measurements"
        mirror.heard(Ended(one, record))
        ends = ["checkpoint/last.pt", "predictions.jsonl", "record.json"]
        assert sent[2:] == [f"runs/fastre/tiny/0/{name}" for name in ends]
    assert sent[5:] == ["runs/fastre/tiny/1/checkpoint/last.pt"]


def test_a_plan_brings_states_alone(url: str, tmp_path: Path) -> None:
    put(url, runs__a__d__0__predictions="many", report="long")
    Store(url).write("runs/a/d/0/record.json", b"{}")
    Store(url).write("runs/a/d/1/checkpoint/last.pt", b"heavy")
    bring_states(url, tmp_path / "seen")
    found = {p.name: p.stat().st_size for p in (tmp_path / "seen").rglob("*") if p.is_file()}
    assert found == {"record.json": 2, "last.pt": 0}
    assert not local_folder(url).exists()


def test_files_are_sent_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where files are renamed, the old one stands until the new one is whole."""
    store = Store(f"file://{tmp_path}/out")
    store.write("report.md", b"old")
    write(tmp_path, "new", "new")

    def cut_off(source: str, target: str) -> None:
        Path(target).write_text("ne")
        raise ConnectionResetError

    monkeypatch.setattr(store._fs, "put_file", cut_off)
    with pytest.raises(SuiteError, match="does not answer as it should"):
        store.send({"report.md": tmp_path / "new"})
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["report.md"]
    assert (tmp_path / "out" / "report.md").read_text() == "old"


def test_a_store_that_does_not_answer_for_a_while_stops_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"file://{tmp_path}/out"
    with Mirror(url).opened() as mirror:
        write(mirror.folder, f"{RUN}/record.json", "{}")
        with monkeypatch.context() as patch:
            patch.setattr(mirror._store._fs, "put_file", _raise_no_network)
            mirror._try_to_send(RUN)
        assert "not sent yet" in capsys.readouterr().err
    assert content(url) == {f"{RUN}/record.json": "{}"}


def _raise_no_network(*_: object) -> None:
    raise ConnectionError("network is unreachable")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (FileNotFoundError("The specified bucket does not exist"), "no such bucket or folder"),
        (PermissionError("Access Denied"), "may not be read and written: Access Denied"),
        (type("NoCredentialsError", (Exception,), {})("Unable to"), "may not be read and written"),
        (ConnectionError("cannot reach secret"), r"ConnectionError: cannot reach \.\.\."),
    ],
)
def test_what_a_store_refuses_is_told(
    monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    store = Store("memory://me:secret@host/out")

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(store._fs, "pipe_file", refuse)
    with pytest.raises(SuiteError, match=message) as told:
        store.write("a", b"")
    assert str(told.value).startswith("memory://...@host/out: ")
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nowhere://bucket/out", "Protocol not known: nowhere. Correct the URL"),
        ("gs://bucket/out", r"nothing that is installed here reaches gs://.*Install gcsfs by pip"),
    ],
)
def test_a_protocol_that_nothing_reaches(
    url: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(SuiteError, match=message):
        Store(url)


def test_a_new_password_leads_to_the_same_folder() -> None:
    one, two = (base_of(f"sftp://me:{word}@host/out") for word in ("a-word", "b-word"))
    assert one == two != base_of("sftp://you:a-word@host/out")
    assert "word" not in str(one)
