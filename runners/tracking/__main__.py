"""`python -m runners.tracking mlflow OUT`: makes of runs what can be looked at together."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from runners.tracking.registry import NAMES, gather, require_tracker
from suite.errors import SuiteError


def main(arguments: Sequence[str] | None = None) -> None:
    """Gathers what a tracker was told of the runs of each output folder."""
    parser = argparse.ArgumentParser(prog="python -m runners.tracking")
    parser.add_argument("tracker", choices=NAMES)
    parser.add_argument("folders", nargs="+", type=Path, help="output folders of commands")
    asked = parser.parse_args(arguments)
    try:
        require_tracker(asked.tracker, online=False)
        for folder in asked.folders:
            if not folder.is_dir():
                raise SuiteError(
                    "is no folder", where=folder, remedy="Name the --out of a command."
                )
            gather(asked.tracker, folder, _stop)
    except SuiteError as error:
        sys.exit(f"error: {error}")


def _stop(said: str) -> None:
    sys.exit(f"error: {said}")


if __name__ == "__main__":
    main()
