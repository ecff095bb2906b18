"""From inputs to an output, chunk by chunk, whatever both are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from suite.extraction.extractor import Extractor
from suite.extraction.inputs import Inputs
from suite.extraction.outputs import Output


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


def extract(
    inputs: Inputs,
    extractor: Extractor,
    output: Output,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> int:
    """Answers all texts that the output has no rows of yet.

    Args:
        inputs: the same files in the same order as an earlier command's, if there was one.
        extractor: from a chunk of texts to its rows.
        output: takes the rows in the order of the texts.
        on_progress: is called after each chunk.

    Returns:
        How many texts were answered now.

    Raises:
        SuiteError: the output cannot be written, or the model fails at everything.
    """
    before = output.done
    if not output.complete:
        for chunk in inputs.chunks(leave_out=before):
            output.write(extractor(chunk))
            on_progress(
                Progress(
                    output.done - before, output.failed, inputs.bytes_read, inputs.bytes_in_all
                )
            )
    output.finish()
    return output.done - before
