"""Trackers by name: each is a module of `runners.tracking.trackers` with a constant `KIND`."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.util import find_spec
from pathlib import Path

from runners.tracking import trackers
from runners.tracking.base import Guarded, Kind, Tell, Tracked, Tracker, in_a_line
from suite.errors import SuiteError, unknown

NAMES = tuple(module.name for module in pkgutil.iter_modules(trackers.__path__))


def find_tracker(name: str) -> Kind:
    """The tracker of a name.

    Raises:
        SuiteError: there is none.
    """
    if name not in NAMES:
        raise unknown("tracker", name, NAMES)
    kind: Kind = importlib.import_module(f"{trackers.__name__}.{name}").KIND
    return kind


def require_tracker(name: str, *, online: bool) -> None:
    """Refuses early what would only fail beside the runs.

    Raises:
        SuiteError: there is no such tracker, its packages are not installed, or it uploads nothing
            and that is asked for.
    """
    kind = find_tracker(name)
    if online and not kind.uploads:
        raise SuiteError(
            f"--wandb online uploads by W&B, and --tracker {name} keeps what it is told here",
            remedy="Leave one of them out.",
        )
    missing = [package for package in kind.packages if find_spec(package) is None]
    if missing:
        raise SuiteError(
            f"--tracker {name} needs {' and '.join(missing)}, which cannot be found",
            remedy=f"Install it: pip install 'relation-suite[{kind.extra}]'; or name another "
            "tracker.",
        )


def start_tracker(name: str, run: Tracked, warn: Tell) -> Tracker:
    """The tracker of a run, which never stands in its way.

    Args:
        name: of the tracker.
        run: what is tracked.
        warn: is told, once, why there is no tracking.

    Raises:
        SuiteError: there is no such tracker.
    """
    return Guarded(find_tracker(name), run, warn)


def gather(name: str, out: Path, warn: Tell) -> None:
    """Makes of what the runs of an output folder left what can be looked at together.

    Args:
        name: of the tracker.
        out: of one command.
        warn: is told why that was not possible.
    """
    kind = find_tracker(name)
    if kind.gather is None:
        return
    try:
        kind.gather(out)
    except Exception as error:
        warn(f"{kind.title} does not show the runs of {out} together: {in_a_line(error)}.")
