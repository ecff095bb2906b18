"""What is said of a precision that this machine is slow in."""

from __future__ import annotations

from runners.cli.command import errors
from suite.protocol import Precision

SLOWER = 1.2
"""Times as long, from which bfloat16 is said to be slow: less may be the machine's unrest."""


def warn_of_slow_precision(precision: Precision, device: str) -> None:
    """Says so where bfloat16 is asked for and takes longer than float32 here.

    Raises:
        SuiteError: there is no such device.
    """
    if precision == "float32":
        return
    from suite.modelling.device import bfloat16_slowdown, resolve_device  # noqa: PLC0415 - torch

    slowdown = bfloat16_slowdown(resolve_device(device))
    if slowdown > SLOWER:
        errors.print(
            f"bfloat16 takes {slowdown:.1f} times as long as float32 on this machine (a linear "
            "layer, timed just now): without --precision bfloat16 it goes faster"
        )
