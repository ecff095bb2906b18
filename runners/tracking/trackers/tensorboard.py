"""TensorBoard's event file beside a run.

The file is written record by record, and not by TensorBoard's own writer, which names it by the
host. Times in it are seconds of training: TensorBoard's axis `Relative` is wall clock without
evaluation and interruptions, and `Wall` counts from 1970.

A run that goes on tells its earlier epochs again: each start writes a whole file of its own, which
begins by saying that the steps of earlier files no longer hold. Those stay: a TensorBoard that is
open would never leave a file that is gone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runners.tracking.base import Kind, Tell, Tracked, Tracker
from runners.tracking.flatten import final, flat, history_row, run_id
from suite.records.run import Epoch, RunRecord

NAME = "tensorboard"
EVENTS = "events.out.tfevents."
"""By its name TensorBoard knows a file of events."""
_NUMBER = re.compile(rf"{re.escape(EVENTS)}(\d+)")


class TensorBoardTracker(Tracker):
    """The events of what is tracked; TensorBoard has no tables."""

    def __init__(self, run: Tracked, tell: Tell) -> None:
        del tell
        from tensorboard.compat.proto import event_pb2, summary_pb2  # noqa: PLC0415 - an extra
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb  # noqa: PLC0415
        from tensorboard.plugins.text.summary_v2 import text_pb  # noqa: PLC0415
        from tensorboard.summary.writer.record_writer import RecordWriter  # noqa: PLC0415

        self._event, self._summary = event_pb2.Event, summary_pb2.Summary
        self._text = text_pb
        self._metrics = tuple(run.metrics)
        self._step, self._seconds = 0, 0.0
        folder = run.folder / NAME
        folder.mkdir(parents=True, exist_ok=True)
        earlier = [int(found[1]) for path in folder.iterdir() if (found := _numbered(path))]
        path = folder / f"{EVENTS}{max(earlier, default=0) + 1:06d}"
        self._writer = RecordWriter(path.open("xb"))
        self._write(file_version="brain.Event:2")
        if earlier:
            self._write(session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))
        config = {**run.tags, **_plain(run.config)}
        self._write(summary=hparams_pb(config, trial_id=run_id(run), start_time_secs=0))

    def log(self, epoch: Epoch) -> None:
        """Adds an epoch's points to the curves."""
        self._step, self._seconds = epoch.step, epoch.seconds
        self._scalars(history_row(epoch, self._metrics))

    def summarise(self, record: RunRecord) -> None:
        """Adds the numbers of the record as points at its last step, and its words as a text."""
        found = final(record)
        self._step, self._seconds = found.step, found.seconds
        self._scalars(found.numbers)
        rows = [f"| {name} | {' '.join(said.split())} |" for name, said in found.words.items()]
        table = "\n".join(["| what | said |", "| --- | --- |", *rows])
        self._write(summary=self._text("summary", table))

    def keep(self, files: Sequence[Path]) -> None:
        """Shows figures (PNG) and texts (Markdown); TensorBoard keeps no other files."""
        for file in files:
            if file.suffix == ".png":
                image = self._summary.Image(encoded_image_string=file.read_bytes())
                value = self._summary.Value(tag=f"figures/{file.stem}", image=image)
                self._write(summary=self._summary(value=[value]))
            elif file.suffix == ".md":
                self._write(summary=self._text(file.stem, file.read_text()))

    def finish(self, failed: bool) -> None:
        """Says how the run ended, and closes the file."""
        # TensorBoard's own function for it imports TensorFlow.
        from tensorboard.plugins.hparams import metadata, plugin_data_pb2  # noqa: PLC0415
        from tensorboard.plugins.hparams.api_pb2 import Status  # noqa: PLC0415

        status = Status.STATUS_FAILURE if failed else Status.STATUS_SUCCESS
        end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=self._seconds)
        held = plugin_data_pb2.HParamsPluginData(session_end_info=end)
        value = self._summary.Value(
            tag=metadata.SESSION_END_INFO_TAG,
            metadata=metadata.create_summary_metadata(held),
            tensor=metadata.NULL_TENSOR,
        )
        self._write(summary=self._summary(value=[value]))
        self._writer.close()

    def abandon(self) -> None:
        """Closes the file as it is."""
        self._writer.close()

    def _scalars(self, values: Mapping[str, float]) -> None:
        points = [self._summary.Value(tag=n, simple_value=value) for n, value in values.items()]
        self._write(summary=self._summary(value=points))

    def _write(self, **what: Any) -> None:
        event = self._event(wall_time=self._seconds, step=self._step, **what)
        self._writer.write(event.SerializeToString())
        self._writer.flush()


def _numbered(path: Path) -> re.Match[str] | None:
    return _NUMBER.fullmatch(path.name)


def _plain(config: Mapping[str, Any]) -> dict[str, bool | int | float | str]:
    """A configuration as hyperparameters can be: what is none of these types as text."""
    return {
        name: value if isinstance(value, bool | int | float | str) else str(value)
        for name, value in flat(config).items()
    }


KIND = Kind(
    title="TensorBoard",
    start=TensorBoardTracker,
    packages=("tensorboard",),
    extra="tensorboard",
)
