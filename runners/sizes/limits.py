"""Limits of time and memory that a process keeps to by itself."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch

from runners.runs.environment import peak_memory_bytes

EVERY_SECONDS = 0.05
"""How often memory and clock are looked at."""
_RESET_PEAK = Path("/proc/self/clear_refs")


def keep_to(seconds: float, memory_bytes: float, give_up: Callable[[str, bool], None]) -> None:
    """Ends this process where it takes longer or holds more, from a thread of its own.

    Args:
        seconds: from now on.
        memory_bytes: resident in this process.
        give_up: is told which limit was met, and whether it was memory's, before the end.
    """
    process, begun = psutil.Process(), time.monotonic()

    def watch() -> None:
        while True:
            time.sleep(EVERY_SECONDS)
            if process.memory_info().rss > memory_bytes:
                give_up(f"takes more than {memory_bytes / 1e9:g} GB of memory", True)
                os._exit(0)
            if time.monotonic() - begun > seconds:
                give_up(f"takes more than {seconds:g} s", False)
                os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def held_bytes(device: torch.device) -> int:
    """The memory that is held now; `most_bytes` tells the most from here on."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return int(torch.cuda.memory_allocated(device))
    if _RESET_PEAK.exists():
        _RESET_PEAK.write_text("5")  # Linux: the peak becomes what is resident now
    return int(psutil.Process().memory_info().rss)


def most_bytes(device: torch.device) -> int:
    """The most memory that was held since `held_bytes`."""
    return peak_memory_bytes(device)
