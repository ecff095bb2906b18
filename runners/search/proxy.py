"""The journal of a search, served to workers on other machines: Optuna's gRPC proxy.

It runs in a process of its own, which ends with the command. Optuna's pages warn against a journal
behind the proxy, for two workers could take up one trial (optuna/optuna#6084); since 5.0 the
journal refuses the second.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, GrpcStorageProxy, run_grpc_proxy_server

from runners.cluster import INSTALL
from runners.executors.starter import end_with_the_starter
from runners.search.storage import open_storage
from suite.errors import SuiteError

Address: TypeAlias = tuple[str, int]
"""Host and port."""
START_SECONDS, REACH_SECONDS = 60.0, 20.0
REMEDY = (
    "Give the command on a node of the cluster, whose ports the other nodes reach, or keep the "
    "trials in a database with --storage."
)


@contextmanager
def served(out: Path, host: str) -> Iterator[Address]:
    """Serves the journal of a search's folder while the block lasts.

    Args:
        out: the folder.
        host: address of this machine at which workers reach it.

    Raises:
        SuiteError: gRPC is not installed, or nothing can be served at the address.
    """
    _refuse_without_grpc()
    address = host, _free_port(host)
    with tempfile.TemporaryFile() as said, _process(out, address, said) as child:
        try:
            _wait(child, address, said)
            yield address
        finally:
            child.terminate()
            child.wait()


@contextmanager
def _process(out: Path, address: Address, said: Any) -> Iterator[subprocess.Popen[bytes]]:
    words = [str(out.absolute()), address[0], str(address[1])]
    command = [sys.executable, "-P", "-m", "runners.search.proxy", *words]
    # Its standard input ends when this process does. Ctrl-C is this process's to hear: workers'
    # last words are taken until they have ended.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=said, start_new_session=True
    ) as child:
        yield child


def _wait(child: subprocess.Popen[bytes], address: Address, said: Any) -> None:
    """Waits until the storage answers.

    Raises:
        SuiteError: it never does.
    """
    client = _client(address)
    for _ in range(round(START_SECONDS)):
        try:
            client.wait_server_ready(timeout=1)
            return
        except ConnectionError:
            if child.poll() is not None:
                break
        finally:
            client.close()
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    raise SuiteError(
        f"the trials cannot be served to workers ({lines[-1] if lines else 'it does not answer'})",
        where=_shown(address),
        remedy=REMEDY,
    )


def reached(address: Address) -> BaseStorage:
    """The storage that a driver serves.

    Args:
        address: of the driver.

    Raises:
        SuiteError: gRPC is not installed, or the driver does not answer.
    """
    _refuse_without_grpc()
    client = _client(address)
    try:
        client.wait_server_ready(timeout=REACH_SECONDS)
    except ConnectionError as error:
        raise SuiteError(
            "the command, which keeps the trials, cannot be reached",
            where=_shown(address),
            remedy=REMEDY,
        ) from error
    return client


def lost(error: Exception) -> SuiteError | None:
    """What a user is told where an error is one of the connection, or of the storage behind it."""
    import grpc  # noqa: PLC0415 - an extra

    if not isinstance(error, grpc.RpcError):
        return None
    details = getattr(error, "details", lambda: None)() or type(error).__name__
    return SuiteError(f"the storage of the trials failed: {details.strip().splitlines()[0]}")


def _client(address: Address) -> GrpcStorageProxy:
    host, port = address
    # A proxy of the web does not lead into a cluster; gRPC reads no capitals.
    os.environ["no_grpc_proxy"] = host  # noqa: SIM112
    warnings.simplefilter("ignore", ExperimentalWarning)
    return GrpcStorageProxy(host=host, port=port)


def _refuse_without_grpc() -> None:
    try:
        import grpc  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise SuiteError(
            f"a search on Ray needs grpcio, which cannot be imported ({error})", remedy=INSTALL
        ) from error


def _free_port(host: str) -> int:
    try:
        with socket.socket() as found:
            found.bind((host, 0))
            return int(found.getsockname()[1])
    except OSError as error:
        raise SuiteError(
            f"the trials cannot be served to workers ({error.strerror})", where=host, remedy=REMEDY
        ) from error


def _shown(address: Address) -> str:
    return ":".join(map(str, address))


def _serve(out: Path, host: str, port: int) -> None:
    end_with_the_starter(0, grace=1)
    run_grpc_proxy_server(open_storage(None, out), host=host, port=port)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
