"""The command line `judge-claims`, and that the page of this project is what its evidence gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import tiny
from tests.reports.claims.cases import write_folder
from tests.reports.claims.test_forms import pair


def judge_claims(*arguments: str | Path, folder: Path) -> tiny.Ended:
    ended = tiny.command("judge_claims", *arguments, folder=folder)
    assert "Traceback" not in ended.err, ended.err
    return ended


@pytest.mark.parametrize("name", ["claims.md", "claims.json"])
def test_the_page_is_what_the_evidence_gives(name: str, tmp_path: Path) -> None:
    """Else: `judge-claims` in the root of the project, and commit what it writes."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "results").symlink_to(tiny.ROOT / "docs" / "results")
    ended = judge_claims(folder=tmp_path)
    assert ended.code == 0, ended.err
    assert (tmp_path / "docs" / name).read_text() == (tiny.ROOT / "docs" / name).read_text()


def test_evidence_gives_a_verdict(tmp_path: Path) -> None:
    write_folder(tmp_path / "runs", *pair())
    evidence = tmp_path / "results" / "mine" / "evidence.json.gz"
    ended = tiny.command("build_report", "runs", "--evidence", evidence, folder=tmp_path)
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[-1] == f"evidence: {evidence}"
    for place in ("results", evidence, "runs"):
        ended = judge_claims(place, "--out", "claims.md", folder=tmp_path)
        assert ended.code == 0, ended.err
        assert ended.out == "claims: claims.md\n"
        page = (tmp_path / "claims.md").read_text()
        (row,) = (r for r in page.splitlines() if "gated unit FastRE loses" in r and "`nyt11`" in r)
        assert "| +3.1 | +5.0 (" in row
        assert row.endswith("| **holds** |")
    found = json.loads((tmp_path / "claims.json").read_text())
    counts = next(r for r in page.splitlines() if r.startswith("| FastRE |")).split(" | ")
    held = [c["claim"] for c in found["claims"] if c["verdict"] == "holds"]
    assert held == ["parameters", "f1", "gate"], "all of NYT11"
    assert counts[2] == "3"
    (gate,) = (c for c in found["claims"] if (c["claim"], c["dataset"]) == ("gate", "nyt11"))
    assert gate["verdict"] == "holds"
    assert gate["comparisons"][0]["value"] == pytest.approx(5.0)
    assert {one["run"] for one in gate["from"]} == {
        f"runs/{name}/nyt11/{seed}" for name in ("fastre", "fastre-no-gate") for seed in range(3)
    }
    again = judge_claims("results", "runs", "--out", "both.md", folder=tmp_path)
    assert again.out.splitlines()[0] == "in several places, and counted once: 6"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "error: nowhere: is not there. Name evidence, a folder that holds some"),
        (["words"], "error: words: is not evidence: it is no whole gzip file"),
        (["--out", "claims.txt"], "error: claims.txt: is no name for a page. Let it end in .md."),
    ],
)
def test_a_mistake_is_answered(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "words").write_text("words")
    ended = judge_claims(*arguments, folder=tmp_path)
    assert ended.code == 2
    assert ended.err.startswith(message)
    assert not (tmp_path / "claims.md").exists()


def test_a_folder_without_evidence_writes_no_page(tmp_path: Path) -> None:
    out = tmp_path / "claims.md"
    ended = tiny.command("judge_claims", str(tmp_path), "--out", str(out), folder=tmp_path)
    assert ended.code == 2, ended
    assert "holds no evidence" in ended.err
    assert not out.exists()
