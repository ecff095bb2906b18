"""A process is told once that its starter has died, and killed where it does not end."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from runners.executors.starter import end_with_the_starter
from tests import tiny

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("before", [True, False])
def test_it_is_told_once(tmp_path: Path, before: bool) -> None:
    ended = tiny.forked(_count_the_signals, before, folder=tmp_path)
    assert (ended.code, ended.out) == (-signal.SIGKILL, "told\n"), ended.err


def _count_the_signals(before: bool) -> None:
    signal.signal(signal.SIGTERM, lambda *_: print("told", flush=True))
    read, write = os.pipe()
    if before:
        os.close(write)
    end_with_the_starter(read, grace=0.5)
    if not before:
        os.close(write)
    time.sleep(300)
