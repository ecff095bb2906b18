"""What stopped a process: in a line, and whether it was memory."""

from __future__ import annotations

import torch


def memory_ran_out(error: BaseException) -> bool:
    """Whether memory, the device's or the machine's, was the reason."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # torch's allocator for the CPU has no exception of its own.
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)


def in_a_line(error: BaseException) -> str:
    """Kind and first line of an exception."""
    kind, message = type(error).__name__, str(error).strip()
    return f"{kind}: {message.splitlines()[0]}" if message else kind
