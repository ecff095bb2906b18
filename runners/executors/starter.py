"""A process that ends when the one that started it does, however that ends.

Otherwise it would go on, and take the cores from what the user starts next.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import threading
import time

GRACE_SECONDS = 20.0
"""How long a process that was told to stop may take to leave its record."""


def end_with_the_starter(descriptor: int, grace: float = GRACE_SECONDS) -> None:
    """Has this process told to stop, as by SIGTERM, when its starter dies, and killed if it stays.

    On Linux the kernel tells it, whatever it is doing; everywhere a thread does, which has its turn
    once whoever holds the interpreter lets go.

    Args:
        descriptor: of a pipe, to read from; the starter alone holds its other end, which ends with
            it, and writes nothing.
        grace: seconds until it is killed.
    """
    told = sys.platform == "linux" and _have_the_kernel_tell(descriptor)
    main = threading.main_thread().ident
    assert main is not None

    def wait() -> None:
        os.read(descriptor, 1)
        if not told:  # once: a second one would cut off what the first one set going
            signal.pthread_kill(main, signal.SIGTERM)
        time.sleep(grace)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def _have_the_kernel_tell(descriptor: int) -> bool:
    """Asks for a signal when the pipe ends; whether it had not ended before.

    Not by PR_SET_PDEATHSIG: the parent of some is a server, which lives as long as they do.
    """
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGTERM)
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_ASYNC)
    ended, _, _ = select.select([descriptor], [], [], 0)
    return not ended
