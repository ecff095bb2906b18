"""Ray, on this machine or as a cluster: how a command reaches it, and what it says otherwise."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from suite.errors import SuiteError

KNOCK_SECONDS = 10
INSTALL = "Install it: pip install '.[ray]'."
ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
"""Nothing is sent to Ray's makers, and what asks for no GPU keeps the view of those that are there,
unless the caller's environment tells."""
DIFFERS = "Version mismatch"
"""Ray's word for a cluster of another Ray or Python."""


@contextmanager
def connected(address: str | None, cpus: int) -> Iterator[Any]:
    """Ray, while the block lasts.

    Args:
        address: of a cluster, as `ray.init` takes it; None: one on this machine, for this command.
        cpus: of a cluster that is started here.

    Raises:
        SuiteError: Ray is not installed, does not answer, or is of another version there.
    """
    ray = _imported()
    # Ray has no switch for it: what its daemons say of a dead node, pages of it, goes to standard
    # output, among rows that a command may write there.
    ray._private.worker.print_to_stdstream = _unsaid
    try:
        if address is not None:
            _knock(address)
        ray.init(
            address=address or "local",  # else Ray takes any cluster that runs here
            num_cpus=None if address else cpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.WARNING,
        )
    except Exception as error:  # ray raises of many kinds, none the user's to read
        raise _refused(str(error).strip() or type(error).__name__, address) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def is_from_without(address: str) -> bool:
    """Whether a command reaches a cluster by this address as a client, and is on no node of it."""
    return address.startswith("ray://")


def leave_its_main_module() -> None:
    """Spares processes that a task or an actor starts the reading of Ray's main module, and Ray."""
    vars(sys.modules["__main__"]).pop("__file__", None)


def _imported() -> Any:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import ray  # noqa: PLC0415 - nobody else needs it
    except ImportError as error:
        raise SuiteError(
            f"--ray needs Ray, which cannot be imported ({error})", remedy=INSTALL
        ) from error
    return ray


def _unsaid(data: Mapping[str, Any], **_: object) -> None:
    logging.getLogger(__name__).debug("%s", data.get("lines"))


def _refused(said: str, address: str | None) -> SuiteError:
    if DIFFERS in said:
        return SuiteError(
            f"the cluster is of another version: {' '.join(said.split())}",
            where=address,
            remedy="Install the same Ray and the same Python on this machine and on the nodes.",
        )
    return SuiteError(
        f"Ray does not answer: {said.splitlines()[0]}",
        where=address,
        remedy="Start it (`ray start --head`), correct --ray-address, or leave it out for a "
        "cluster on this machine.",
    )


def _knock(address: str) -> None:
    """Connects to an address once: Ray would try for five minutes, and then end the process.

    Raises:
        OSError: nobody answers there.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=KNOCK_SECONDS).close()
