"""The event file of TensorBoard, and what becomes of it where it cannot be written."""

from __future__ import annotations

from pathlib import Path

from tests.runners.tracking.tracked import an_epoch, start, use_after_failure


def test_a_later_start_takes_the_place_of_an_earlier(tmp_path: Path, warnings: list[str]) -> None:
    """A TensorBoard that is open drops what it has read, and takes what comes."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = tmp_path / "tensorboard"
    first = start(tmp_path, warnings, tracker="tensorboard")
    for number in (1, 2, 3):
        first.log(an_epoch(number))
    watching = EventAccumulator(str(folder))
    watching.Reload()
    assert len(watching.Scalars("train/loss")) == 3
    second = start(tmp_path, warnings, tracker="tensorboard")
    for number in (1, 2, 3, 4):
        second.log(an_epoch(number))
    watching.Reload()
    assert [point.step for point in watching.Scalars("train/loss")] == [10, 20, 30, 40]
    assert warnings == []
    assert len(list(folder.iterdir())) == 2


def test_figures_and_texts_are_shown(tmp_path: Path, warnings: list[str]) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (tmp_path / "report.md").write_text("# Report")
    (tmp_path / "curve.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "results.csv").write_text("a,b")
    report = start(tmp_path, warnings, tracker="tensorboard", job_type="report")
    report.keep([tmp_path / name for name in ("report.md", "curve.png", "results.csv")])
    report.finish(failed=False)
    assert warnings == []
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert events.Tags()["images"] == ["figures/curve"]
    assert events.Tensors("report")[0].tensor_proto.string_val == [b"# Report"]


def test_a_folder_that_cannot_be_written_warns_once(tmp_path: Path, warnings: list[str]) -> None:
    (tmp_path / "tensorboard").write_text("in the way")
    use_after_failure(start(tmp_path, warnings, tracker="tensorboard"))
    assert len(warnings) == 1
    assert warnings[0].startswith("TensorBoard does not track this run: ")
    assert str(tmp_path) in warnings[0]
