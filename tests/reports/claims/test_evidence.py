"""Evidence holds what claims are told by, and no word of the data."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from reports.claims.collect import collect
from reports.evidenced import EvidencedRun
from reports.load import load_results
from suite.errors import SuiteError
from suite.records.evidence import read_evidence, write_evidence
from tests.reports.claims.cases import variant_run, write_folder
from tests.reports.claims.test_forms import line


@pytest.fixture
def out(tmp_path: Path) -> Path:
    out = write_folder(tmp_path / "out", *(variant_run("fastre", seed) for seed in range(2)))
    for folder in sorted(out.glob("runs/*/*/*")):
        lines = "".join(line(number, right=number % 3 == 0) for number in range(12))
        (folder / "predictions.jsonl").write_text(lines)
    return out


def test_it_is_read_as_it_was_written(out: Path, tmp_path: Path) -> None:
    evidence, path = collect(out), tmp_path / "deep" / "evidence.json.gz"
    write_evidence(evidence, path)
    assert read_evidence(path) == evidence
    before = path.read_bytes()
    write_evidence(collect(out), path)
    assert path.read_bytes() == before, "equal runs leave equal files"


def test_a_run_counts_as_from_its_folder(out: Path) -> None:
    held = {run.folder: run for run in collect(out).runs}
    for run in load_results(out).runs:
        folder = run.folder.relative_to(out).as_posix()
        again = EvidencedRun(run.record, run.folder, held=held[folder])
        for match in ("partial", "exact"):
            ours, theirs = again.counts(match), run.counts(match)
            assert ours is not None
            assert theirs is not None
            assert ours.examples == theirs.examples
            assert ours.counts.tolist() == theirs.counts.tolist()
        assert [e.dev.partial for e in again.history] == [e.dev.partial for e in run.history]


def test_it_holds_no_word_of_the_data_and_no_path(out: Path, tmp_path: Path) -> None:
    path = tmp_path / "evidence.json.gz"
    write_evidence(collect(out), path)
    text = gzip.decompress(path.read_bytes()).decode()
    for number in range(12):
        assert f"w{number}" not in text
        assert f"test-{number}" not in text
    assert str(tmp_path) not in text
    assert json.loads(text)["plan"]["command"] == []


def test_a_run_without_predictions_has_a_record_alone(out: Path) -> None:
    (out / "runs/fastre/nyt11/0/predictions.jsonl").unlink()
    first, second = collect(out).runs
    assert first.test is None
    assert second.test is not None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"words", "is not evidence: it is no whole gzip file"),
        (gzip.compress(b"{}"), "is not evidence of this version: plan: Field required"),
        (gzip.compress(b"words"), "is not evidence of this version: Invalid JSON"),
        (gzip.compress(b"{}" * 99)[:-12], "is not evidence: it is no whole gzip file"),
    ],
    # The compressed bytes hold the time, by which each process would name the cases otherwise.
    ids=["no gzip", "a field is missing", "no JSON", "cut off"],
)
def test_what_is_no_evidence_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "evidence.json.gz"
    path.write_bytes(content)
    with pytest.raises(SuiteError) as caught:
        read_evidence(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "build-report OUT --evidence" in str(caught.value)


def test_another_name_is_refused(out: Path, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"Let it end in \.json\.gz"):
        write_evidence(collect(out), tmp_path / "evidence.json")
