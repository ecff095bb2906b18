"""Downloads, against a server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from suite.datasets import load_dataset
from suite.datasets.catalogue import entries as catalogue
from suite.datasets.catalogue import fetch
from suite.datasets.catalogue.entry import RemoteFile, Source
from suite.datasets.textfile import git_blob
from suite.errors import SuiteError
from tests.suite.datasets.folders import LIMA, OSLO, PARIS, ROME

CONTENT = {
    "train": json.dumps([PARIS, ROME] * 300).encode(),
    "dev": json.dumps([OSLO]).encode(),
    "test": json.dumps([LIMA]).encode(),
}
NAMES = {"train": "train_triples.json", "dev": "val_triples.json", "test": "test_triples.json"}


class Server:
    """What the server answers with, and what it was asked for."""

    def __init__(self) -> None:
        self.files = {f"/some/where/abc/data/{NAMES[s]}": c for s, c in CONTENT.items()}
        self.cut_off: set[str] = set()
        self.asked: list[str] = []

    def path(self, split: str) -> str:
        return f"/some/where/abc/data/{NAMES[split]}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            content = state.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            half = len(content or b"") // 2
            self.wfile.write((content or b"")[: half if self.path in state.cut_off else None])

        def log_message(self, format: str, *args: object) -> None:
            """Keeps the test's output clean."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    files = {s: RemoteFile(f"data/{NAMES[s]}", git_blob(c)) for s, c in CONTENT.items()}
    entry = replace(
        catalogue.CATALOGUE["webnlg"],
        name="remote",
        source=Source("some/where", "abc", files),  # type: ignore[arg-type]
    )
    monkeypatch.setitem(catalogue.CATALOGUE, "remote", entry)
    monkeypatch.setattr(fetch, "BASE_URL", f"http://127.0.0.1:{http.server_port}")
    monkeypatch.setenv("RE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv("RE_DATA_DIR", raising=False)
    yield state
    http.shutdown()
    http.server_close()


def cached(tmp_path: Path) -> list[str]:
    """All files of the cache, temporary ones included."""
    return sorted(p.name for p in (tmp_path / "cache").rglob("*") if p.is_file())


def test_what_is_missing_is_downloaded_once(server: Server, tmp_path: Path) -> None:
    dataset = load_dataset("remote")
    assert [len(split.examples) for split in dataset.splits] == [600, 1, 1]
    assert [split.published for split in dataset.splits] == [True, True, True]
    assert cached(tmp_path) == sorted(NAMES.values())
    assert len(server.asked) == 3
    load_dataset("remote")
    assert len(server.asked) == 3, "the cache is not asked for again"


def test_a_wrong_file_does_not_stay(server: Server, tmp_path: Path) -> None:
    server.files[server.path("dev")] = b"[]"
    with pytest.raises(SuiteError, match="has another content than published") as caught:
        load_dataset("remote")
    assert "val_triples.json ->" in str(caught.value)
    assert "val_triples.json" not in cached(tmp_path)
    assert set(cached(tmp_path)) <= set(NAMES.values()), "no temporary file stays either"

    server.files[server.path("dev")] = CONTENT["dev"]
    assert load_dataset("remote").dev.published


def test_a_cut_off_transfer_does_not_stay(server: Server, tmp_path: Path) -> None:
    server.cut_off.add(server.path("train"))
    with pytest.raises(SuiteError, match="the transfer was cut off"):
        load_dataset("remote")
    assert cached(tmp_path) == []

    server.cut_off.clear()
    assert load_dataset("remote").train.published


def test_a_file_that_is_gone(server: Server, tmp_path: Path) -> None:
    del server.files[server.path("train")]
    with pytest.raises(SuiteError, match="the server answers 404"):
        load_dataset("remote")
    assert cached(tmp_path) == []


def test_without_network_it_says_what_to_put_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("RE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("RE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(fetch, "BASE_URL", "http://127.0.0.1:1")
    with pytest.raises(SuiteError) as caught:
        load_dataset("webnlg")
    message = str(caught.value)
    assert f"is not in {tmp_path}/webnlg, {tmp_path}/cache/datasets/webnlg" in message
    assert "its download failed: no connection" in message
    commit = "hy-struggle/PRGC/8bbaf340472d232f09a0b8004457b712e1ff1a66"
    for name in ("train_triples.json", "val_triples.json", "test_triples.json"):
        line = f"http://127.0.0.1:1/{commit}/data/WebNLG/{name}"
        assert f"  {line} -> {tmp_path}/cache/datasets/webnlg/{name}" in message


def test_a_dataset_that_cannot_be_downloaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RE_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("RE_DATA_DIR", raising=False)
    with pytest.raises(SuiteError, match=r"'genia' is not in .* no public copy of it is known"):
        load_dataset("genia")


def test_the_blob_id_is_gits() -> None:
    assert git_blob(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert git_blob(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"
