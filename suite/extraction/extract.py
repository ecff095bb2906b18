"""From inputs to an output, chunk by chunk, whatever both are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from suite.extraction.extractor import Extractor
from suite.extraction.inputs import Inputs
from suite.extraction.outputs import Output
from suite.extraction.rows import Row


class Progress(NamedTuple):
    """How far the reading is.

    Attributes:
        texts: that this command answered.
        failed: texts that failed, with those of an earlier command.
        bytes_read: of the files, as they lie on the disk.
        bytes_in_all: likewise; 0: not known.
    """

    texts: int
    failed: int
    bytes_read: int
    bytes_in_all: int


class Answered(NamedTuple):
    """A chunk that was answered.

    Attributes:
        rows: one per text, in order.
        bytes_read: of the files, when the chunk had been read.
    """

    rows: list[Row]
    bytes_read: int


def one_by_one(extractor: Extractor) -> Callable[[Inputs, int], Iterator[Answered]]:
    """What answers the texts of inputs in this process, but for some of the first."""

    def answers(inputs: Inputs, leave_out: int) -> Iterator[Answered]:
        for chunk in inputs.chunks(leave_out=leave_out):
            yield Answered(extractor(chunk), inputs.bytes_read)

    return answers


def extract(
    inputs: Inputs,
    answers: Callable[[Inputs, int], Iterator[Answered]],
    output: Output,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> int:
    """Answers all texts that the output has no rows of yet.

    Args:
        inputs: the same files in the same order as an earlier command's, if there was one.
        answers: gives the answered chunks in order, without so many of the first texts.
        output: takes the rows in the order of the texts.
        on_progress: is called after each chunk.

    Returns:
        How many texts were answered now.

    Raises:
        SuiteError: the output cannot be written, or the model fails at everything.
    """
    before = output.done
    if not output.complete:
        for rows, bytes_read in answers(inputs, before):
            output.write(rows)
            on_progress(
                Progress(output.done - before, output.failed, bytes_read, inputs.bytes_in_all)
            )
    output.finish()
    return output.done - before
