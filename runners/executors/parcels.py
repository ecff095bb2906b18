"""Folders on their way between machines, and a run's resources where they lie on this one."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from runners.executors.base import PlannedRun
from runners.executors.lock import NAME as LOCK
from runners.executors.replacing import differences
from runners.runs.plan import RunPlan
from runners.runs.run import planned_record
from runners.runs.workbench import Workbench, vocabulary
from suite.datasets.catalogue.entries import CATALOGUE
from suite.datasets.load import dataset_folder
from suite.datasets.swapping import TRAIN
from suite.errors import SuiteError
from suite.files import read_regular, write_atomically
from suite.modelling.word_vectors import VectorsFile

Files: TypeAlias = dict[str, bytes]
"""Path within a folder, with slashes -> content."""
RECORD = "record.json"


@dataclass(frozen=True)
class Parcel:
    """A user's file or folder on its way to another machine.

    Attributes:
        name: of the file or folder itself.
        digest: sixteen digits of SHA-256 over names and contents.
    """

    name: str
    digest: str


Give: TypeAlias = Callable[[Path], tuple[Parcel, Callable[[], Files]]]
"""What the command's machine has at a path, and how to get it."""


def packed(path: Path) -> Files:
    """A file, or all regular files of a folder without its lock; a file goes by its own name.

    Raises:
        OSError: one of them cannot be read.
    """
    if path.is_file():
        return {path.name: read_regular(path)}
    found: Files = {}
    for file in files_of(path):
        with suppress(FileNotFoundError):  # replaced, or dropped, since it was listed
            found[file.relative_to(path).as_posix()] = read_regular(file)
    return found


def files_of(folder: Path) -> list[Path]:
    """All files in and below a folder, a run's lock left out."""
    return [file for file in sorted(folder.rglob("*")) if file.name != LOCK and file.is_file()]


def unpack(files: Files, folder: Path) -> None:
    """Writes what was packed, each file whole or not at all, a run's record last.

    Raises:
        SuiteError: a name leads out of the folder.
    """
    for name in sorted(files, key=lambda name: (name == RECORD, name)):
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts:
            raise SuiteError(f"a file of a run is named {name!r}, which leads out of its folder")
        path = folder / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, files[name])


def reads(token: Path, content: str) -> bool:
    """Whether a file is on this machine and holds that."""
    try:
        return read_regular(token).decode() == content
    except OSError:
        return False


def parcel_of(path: Path, files: Files) -> Parcel:
    """What tells the content of a path from every other one."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        digest.update(content)
    return Parcel(path.name, digest.hexdigest()[:16])


def own_paths(plan: RunPlan) -> dict[str, Path]:
    """Fields of a plan that name files of the user's or of the cache -> where these lie here."""
    found: dict[str, Path] = {}
    with suppress(SuiteError):
        folder = dataset_folder(plan.dataset, plan.data_dir)
        if folder is not None:
            found["dataset"] = folder.absolute()
    if plan.vectors is not None:
        found["vectors"] = plan.vectors.absolute()
    if plan.swap_names is not None and plan.swap_names != TRAIN:
        found["swap_names"] = Path(plan.swap_names).absolute()
    for field in ("pretrained", "parser"):
        named = getattr(plan, field)
        if named is not None and Path(named).is_dir():
            found[field] = Path(named).absolute()
    return found


def at_hand(run: PlannedRun, paths: dict[str, Path], give: Give, cache: Path) -> PlannedRun:
    """The run with its resources where this machine has them.

    What the plan names is taken as it is where that gives the run that was planned; else what is
    not here, and at last all of it, comes from the command's machine. A file of names always does:
    no configuration tells another file of that name from it.

    Args:
        run: as planned on the command's machine.
        paths: its `own_paths` there.
        give: fetches from there.
        cache: folder of this machine for what was fetched.

    Raises:
        SuiteError: they cannot be had, or they give another run all the same.
    """
    reason = ""
    for fields in _attempts(paths):
        try:
            plan = _brought(run.plan, {name: paths[name] for name in fields}, give, cache)
            reason = _disagreement(plan, run)
        except SuiteError as error:
            reason = str(error)
            continue
        if not reason:
            return replace(run, plan=plan)
    raise SuiteError(
        f"{run.title} cannot be done as it was planned: {reason}",
        remedy="Put the same data, vectors and encoder there, or install the same versions.",
    )


def _attempts(paths: dict[str, Path]) -> Iterator[tuple[str, ...]]:
    always = tuple(name for name in paths if name == "swap_names")
    absent = tuple(n for n, path in paths.items() if n in always or not path.exists())
    yield from dict.fromkeys((always, absent, tuple(paths)))


def _brought(plan: RunPlan, paths: dict[str, Path], give: Give, cache: Path) -> RunPlan:
    changes: dict[str, Any] = {}
    for field, path in paths.items():
        here = _unpacked(give, path, cache, is_file=field in {"vectors", "swap_names"})
        if field == "vectors":
            changes[field] = here
        elif plan.dataset in CATALOGUE and field == "dataset":
            changes["data_dir"] = here.parent
        else:
            changes[field] = str(here)
    return plan.model_copy(update=changes)


def _unpacked(give: Give, path: Path, cache: Path, *, is_file: bool) -> Path:
    """Where a parcel lies in the cache; it is whole, or not there."""
    parcel, fetch = give(path)
    folder = cache / parcel.digest
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=cache, prefix=".partial-"))
        try:
            unpack(fetch(), scratch if is_file else scratch / parcel.name)
            with suppress(OSError):  # another process was quicker
                scratch.rename(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return folder / parcel.name


def _disagreement(plan: RunPlan, run: PlannedRun) -> str:
    """In what a plan gives another run here than was planned; nothing where it does not."""
    bench = Workbench(plan)
    if plan.vectors is not None and "vectors" in bench.needed:
        words = vocabulary(bench.dataset, plan.protocol.max_words)
        VectorsFile(plan.vectors).keep([words], first=plan.keep_vectors == "first")
    found = planned_record(bench, started="")
    if found.configuration == run.planned.configuration:
        return ""
    there, here = (r.environment.versions["torch"] for r in (run.planned, found))
    if there.partition("+")[0] != here.partition("+")[0]:
        return f"torch {there} planned it, and torch {here} is installed here"
    return differences(run.planned, found)
