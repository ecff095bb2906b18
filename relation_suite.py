"""Where the commands start: the check that the four packages are this project's own.

The packages lie at the top of the project and are installed under their own names, `suite`,
`baselines`, `runners` and `reports`, which a user's project may have too. One import name mapped
onto the folders by the build would avoid that, but neither mypy nor pytest follows such a mapping
in an editable installation; so a command looks first, and says what stands in its way.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

PACKAGES = ("suite", "baselines", "runners", "reports")
HOME = Path(__file__).resolve().parent


def strangers() -> list[str]:
    """Which packages of these names are not this project's, each with where it lies."""
    found = []
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        places = [Path(p).resolve() for p in (spec and spec.submodule_search_locations) or ()]
        if HOME / name not in places:
            where = places[0] if places else "nowhere"
            found.append(f"{name} ({where})")
    return found


def command(module: str, name: str) -> Callable[[], None]:
    """A command that starts once the packages are known to be this project's."""

    def start() -> None:
        found = strangers()
        if found:
            print(
                f"error: Python finds other packages in place of relation-suite's: "
                f"{', '.join(found)}; its own lie in {HOME}. Take their folder out of PYTHONPATH, "
                "or install relation-suite into a virtual environment of its own.",
                file=sys.stderr,
            )
            raise SystemExit(2)
        getattr(importlib.import_module(module), name)()

    return start


run_suite = command("runners.cli.run_suite", "run_suite")
build_report = command("runners.cli.build_report", "build_report")
judge_claims = command("runners.cli.judge_claims", "judge_claims")
score_predictions = command("runners.cli.score_predictions", "score_predictions")
search_structure = command("runners.cli.search_structure", "search_structure")
explain_run = command("runners.cli.explain_run", "explain_run")
extract_relations = command("runners.cli.extract_relations", "extract_relations")
export_model = command("runners.cli.export_model", "export_model")
