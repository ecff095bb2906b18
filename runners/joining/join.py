"""Joins the output folders of several commands into one, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from reports.load import OUTSIDE
from runners.executors import lock
from runners.joining.choice import Choice, Stream, refuse_unlike
from runners.joining.evidence import laid_out
from runners.joining.folders import Found, Source, Unit, read_sources
from runners.joining.plans import join_plans
from suite.artifact.facts import OF_A_RUN
from suite.errors import SuiteError
from suite.files import open_regular
from suite.locks import held
from suite.names import folder_name
from suite.records.outside import OutsideRecord
from suite.records.run import (
    DEV_PREDICTIONS,
    PREDICTIONS,
    SWAPPED_PREDICTIONS,
    RunRecord,
    read_record,
)
from suite.records.suite import RUNS

LINKED = (
    *(PREDICTIONS, DEV_PREDICTIONS, SWAPPED_PREDICTIONS),
    *("result.json", OF_A_RUN, "checkpoint"),
)
"""What of a run is always written anew and never changed, so that two folders may share it."""
LEFT = ("wandb",)
"""What of a run another program reads alone; so are files whose names begin with a dot."""


def join(
    folders: Sequence[Path],
    out: Path,
    *,
    apart: bool,
    finish: Callable[[Path], None],
) -> list[str]:
    """Makes one output folder of several.

    It is made beside its place and moved there when all is done.

    Args:
        folders: of `run-suite`, or files of evidence of such.
        out: the new one.
        apart: whether rows that differ at one place are kept, named by their folders.
        finish: is called with the folder before it is moved, as to write its report.

    Returns:
        A line for each run that lies in several folders and is kept once.

    Raises:
        SuiteError: a folder is none, `out` cannot be made, or folders differ at one place.
    """
    _refuse_place(folders, out)
    with laid_out(folders) as places:
        return _join(read_sources(places), out, apart=apart, finish=finish)


def _join(
    sources: Sequence[Source], out: Path, *, apart: bool, finish: Callable[[Path], None]
) -> list[str]:
    # What stands apart is in no paper's table, so that the runs of a study come first.
    sources = sorted(sources, key=lambda source: source.plan.study is None)
    runs, outside = Choice(), Choice()
    runs.take(source.runs for source in sources)
    outside.take(source.outside for source in sources)
    same = [*runs.same, *outside.same]
    if not apart:
        refuse_unlike([*runs.unlike, *outside.unlike])
    with _beside(out) as folder:
        for stream in runs.streams:
            _write_runs(stream, folder / RUNS)
        for stream in outside.streams:
            _write_outside(stream, folder / OUTSIDE)
        plan = join_plans(sources, _renamed(sources, runs.streams), out.resolve())
        plan.model_copy(update={"kept_once": tuple(same)}).write(folder)
        finish(folder)
    return same


def _refuse_place(folders: Sequence[Path], out: Path) -> None:
    """Checks that a new folder can be made.

    Raises:
        SuiteError: it is there already, or lies within one of the folders.
    """
    place = out.resolve()
    for folder in folders:
        if folder.resolve() == place:
            cause = "is one of the folders that are to be joined"
        elif place.is_relative_to(folder.resolve()):
            cause = f"lies within {folder}, which is to be joined"
        else:
            continue
        raise SuiteError(cause, where=out, remedy="Name a new folder beside them with --out.")
    if os.path.lexists(out):
        raise SuiteError("is there already", where=out, remedy="Name a new folder with --out.")


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A folder that takes the place of `out` at the end, and is gone where that is not reached."""
    place = out.parent / f".{out.name}.joining-{os.getpid()}"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove_dead(out)
        place.mkdir()
        busy = SuiteError("is worked on by another process", where=place)
        with held(place / lock.NAME, busy):
            yield place
            (place / lock.NAME).unlink()
            place.rename(out)
    except OSError as error:
        raise SuiteError(
            f"cannot be made: {error.strerror}",
            where=out,
            remedy="Free some space, or name another folder with --out.",
        ) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _remove_dead(out: Path) -> None:
    """Removes what commands that were killed left beside the place."""
    for other in out.parent.glob(f".{out.name}.joining-*"):
        busy = SuiteError("is worked on by another process", where=other)
        with suppress(SuiteError, OSError), held(other / lock.NAME, busy):
            shutil.rmtree(other, ignore_errors=True)


def _renamed(sources: Sequence[Source], streams: Sequence[Stream]) -> list[dict[Unit, str]]:
    """For each folder: key of a system, and dataset -> what it is called where it stands apart."""
    suffixes = {(label, s.unit): s.suffix for s in streams if s.suffix for label in s.labels}
    return [
        {
            (found.record.system.key, found.record.dataset.name): found.record.system.key
            + suffixes[source.label, unit]
            for unit, numbers in source.runs.items()
            for found in numbers.values()
            if isinstance(found.record, RunRecord) and (source.label, unit) in suffixes
        }
        for source in sources
    ]


def _write_runs(stream: Stream, folder: Path) -> None:
    """Copies the runs of a stream; those that stand apart are a variant called by their folder."""
    for number, found in stream.kept.items():
        place = folder.joinpath(*stream.place, number)
        with _at_rest(found):
            _copy(found.folder, place, Path())
        record = found.record
        if stream.suffix and isinstance(record, RunRecord):
            system = record.system
            title = f"{system.title} ({stream.suffix[1:]})"
            called = {"variant": system.key + stream.suffix, "title": title}
            changed = system.model_copy(update=called)
            record.model_copy(update={"system": changed}).write(place)


def _write_outside(stream: Stream, folder: Path) -> None:
    """Copies files of predictions; those that stand apart are called by their folder."""
    for number, found in stream.kept.items():
        record = found.record
        assert isinstance(record, OutsideRecord)
        name = record.name + stream.suffix
        place = folder / (folder_name(name) if stream.suffix else stream.unit[0])
        place = place / stream.unit[1] / number
        _copy(found.folder, place, Path())
        if stream.suffix:
            title = f"{record.title} ({stream.suffix[1:]})"
            about = record.about.model_copy(update={"title": title})
            record.model_copy(update={"name": name, "about": about}).write(place)


@contextmanager
def _at_rest(found: Found) -> Iterator[None]:
    """While no process works on a run.

    Raises:
        SuiteError: one does, or did since the run was read.
    """
    busy = SuiteError(
        "another process works on this run",
        where=found.folder,
        remedy="Wait until it has ended, and give the command again.",
    )
    with ExitStack() as stack:
        if (found.folder / lock.NAME).exists():
            with suppress(OSError):  # a folder that cannot be written has nobody who works on it
                stack.enter_context(held(found.folder / lock.NAME, busy, shared=True))
        path = found.folder / "record.json"
        now = read_record(path) if path.exists() else None
        if _text(now) != _text(found.record):
            raise busy
        yield


def _text(record: RunRecord | OutsideRecord | None) -> str | None:
    return None if record is None else record.model_dump_json()  # in which NaN equals NaN


def _copy(source: Path, target: Path, below: Path) -> None:
    """Copies a folder of a run, but for `LEFT`; files of `LINKED` become second names.

    Args:
        source: the folder of the run.
        target: its new one.
        below: what of it is copied.

    Raises:
        SuiteError: something in it cannot be copied.
    """
    (target / below).mkdir(parents=True)
    for path in sorted((source / below).iterdir()):
        own = below / path.name
        if path.name.startswith(".") or own.parts[0] in LEFT:
            continue
        if path.is_dir() and not path.is_symlink():
            _copy(source, target, own)
        else:
            _copy_file(path, target / own, linked=own.parts[0] in LINKED)


def _copy_file(path: Path, target: Path, *, linked: bool) -> None:
    try:
        if linked and path.is_file():
            with suppress(OSError):  # another disk, or one without links
                os.link(path.resolve(), target)
                return
        with open_regular(path) as file, target.open("xb") as copy:
            shutil.copyfileobj(file, copy)
            copy.flush()
            os.fsync(copy.fileno())
    except OSError as error:
        raise SuiteError(
            f"cannot be copied: {error.strerror}",
            where=path,
            remedy="Make it readable, or free some space where --out lies.",
        ) from error
