"""Published files from their public repositories into the user's cache, checked by git blob id."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.datasets.catalogue.entry import Entry, RemoteFile, Source
from suite.datasets.textfile import git_blob
from suite.errors import SuiteError

if TYPE_CHECKING:
    from rich.progress import Progress

BASE_URL = "https://raw.githubusercontent.com"
CACHE_DIR = "RE_CACHE_DIR"
"""The environment's name for a cache folder other than the user's."""

_TIMEOUT = 30.0  # seconds without an answer


class _WrongContentError(Exception):
    """What came is not what was published."""


def cache_folder() -> Path:
    """Where downloaded datasets lie: `$RE_CACHE_DIR/datasets`, or the user's cache."""
    import pooch  # noqa: PLC0415 - a run on local files needs no downloader

    root = os.environ.get(CACHE_DIR)
    return (Path(root) if root else Path(pooch.os_cache("relation-suite"))) / "datasets"


def url_of(source: Source, file: RemoteFile) -> str:
    """Where a file is downloaded from."""
    return f"{BASE_URL}/{source.repository}/{source.commit}/{file.path}"


def fetch(entry: Entry, folder: Path, looked_in: Sequence[Path] = ()) -> Path:
    """Brings the published files of a dataset into a folder of the cache.

    A file that is there is taken as it is: only checked content gets there by itself, and what a
    user puts there is judged when it is read.

    Args:
        entry: the dataset.
        folder: its folder in the cache.
        looked_in: the folders that were searched before, for the message.

    Returns:
        `folder`, complete.

    Raises:
        SuiteError: no public file is pinned, the download fails, or what comes is another content;
            it says what to download from where to where.
    """
    if entry.source is None:
        if folder.is_dir():
            return folder
        raise SuiteError(
            f"the dataset {entry.name!r} is not in {_places(entry, folder, looked_in)}, and no "
            "public copy of it is known",
            remedy=f"Put its train, dev and test files into {folder} or name their folder.",
        )
    missing = {
        folder / Path(file.path).name: file
        for file in entry.source.files.values()
        if not (folder / Path(file.path).name).is_file()
    }
    try:
        for target, file in missing.items():
            _download(url_of(entry.source, file), target, file)
    except (OSError, _WrongContentError) as error:
        listing = "\n".join(f"  {url_of(entry.source, f)} -> {t}" for t, f in missing.items())
        raise SuiteError(
            f"the dataset {entry.name!r} is not in {_places(entry, folder, looked_in)}, and its "
            f"download failed: {_reason(error)}",
            remedy=f"Download by hand:\n{listing}",
        ) from error
    return folder


def _reason(error: Exception) -> str:
    """A failed download in a few words."""
    import requests  # noqa: PLC0415 - pooch has imported it by then

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the transfer was cut off"
    if isinstance(error, requests.ConnectionError | requests.Timeout):
        return "no connection"
    return str(error)


def _places(entry: Entry, folder: Path, looked_in: Sequence[Path]) -> str:
    return ", ".join(str(place) for place in (*(r / entry.folder for r in looked_in), folder))


def _download(url: str, target: Path, file: RemoteFile) -> None:
    """Downloads beside the target, checks, and only then moves the file into its place."""
    import pooch  # noqa: PLC0415 - see cache_folder
    from rich.console import Console  # noqa: PLC0415 - likewise
    from rich.progress import Progress  # noqa: PLC0415 - likewise

    def checked(address: str, temporary: str, manager: Any) -> None:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = _Bar(progress, target.name)
            pooch.HTTPDownloader(progressbar=bar, timeout=_TIMEOUT)(address, temporary, manager)
        blob = git_blob(Path(temporary).read_bytes())
        if blob != file.blob:
            raise _WrongContentError(
                f"{address} has another content than published (git blob {blob}, not {file.blob})"
            )

    pooch.get_logger().setLevel("WARNING")
    # pooch writes to a temporary file in the target's folder and removes it if `checked` raises.
    pooch.retrieve(url, known_hash=None, fname=target.name, path=target.parent, downloader=checked)


class _Bar:
    """The part of tqdm's interface that pooch drives, on a rich progress bar."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=None)

    @property
    def total(self) -> float | None:
        return self._progress.tasks[0].total

    @total.setter
    def total(self, value: int) -> None:
        self._progress.update(self._task, total=value or None)

    def update(self, count: int) -> None:
        self._progress.advance(self._task, count)

    def reset(self) -> None:
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        self._progress.stop_task(self._task)
