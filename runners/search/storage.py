"""Where a search keeps its trials."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage, get_storage

from runners.search.deaths import put_back
from runners.search.journal import JournalCopy, JournalFile
from suite.errors import SuiteError
from suite.privacy import credentials, without_credentials

JOURNAL = "search.journal"
IDENTITY = "identity"
FORM, PRESENT_FORM = "form", 2
"""Field of the identity, and its value: another one has other spaces and settings."""
HEARTBEAT_SECONDS, GRACE_SECONDS = 30, 120
"""How often a worker on a database says that it lives, and when it is taken for dead."""
CONNECT_SECONDS = 10
MADE_AT_ONCE = ("UniqueViolation", "DuplicateTable")
"""What PostgreSQL says where two commands make the tables of an empty database at one moment."""
MOST_ATTEMPTS = 5


def open_storage(url: str | None, out: Path, *, dry: bool = False) -> BaseStorage:
    """The storage of a search: a journal in its folder, or a database.

    Args:
        url: of a database, as `postgresql://user:password@host/name`; None: the journal.
        out: the search's folder.
        dry: whether nothing may be written; a journal that is not there is not made.

    Raises:
        SuiteError: the database does not answer, the URL is malformed, or the journal is none.
    """
    logging.getLogger("optuna").setLevel(logging.WARNING)
    warnings.simplefilter("ignore", ExperimentalWarning)
    if url is None:
        return _journal(out, dry=dry)
    try:
        return _database(url, out)
    except Exception as error:  # SQLAlchemy and each driver raise their own
        first = (str(error).strip() or "no reason given").splitlines()[0]
        if url in first or any(part in first for part in credentials(url)):
            first = "its message repeats the password, and is not shown"
        raise SuiteError(
            f"the storage {without_credentials(url)!r} cannot be used ({type(error).__name__}: "
            f"{first[:200]})",
            remedy="Expected postgresql://USER:PASSWORD@HOST/DATABASE of a server that runs, with "
            "`pip install 'relation-suite[postgresql]'`; without --storage, a journal in OUT is "
            "used.",
        ) from error


def _journal(out: Path, *, dry: bool) -> BaseStorage:
    """The storage in a search's folder; of a journal, a dry run has a copy in memory."""
    path = out / JOURNAL
    if dry and not path.exists():
        return InMemoryStorage()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SuiteError(
            f"cannot be made: {error.strerror}", where=out, remedy="Name another --out."
        ) from error
    try:
        return JournalStorage(JournalCopy(path) if dry else JournalFile(path))
    except SuiteError:
        raise
    except Exception as error:
        # Each line is an operation, and yet they make no search: Optuna raises whatever it hits.
        raise SuiteError(
            f"is no journal of a search ({type(error).__name__}: {error})",
            where=path,
            remedy="Move it away and begin anew, or name another --out.",
        ) from error


def _database(url: str, out: Path) -> BaseStorage:
    """Optuna's storage in a database, its tables made where they are not there.

    It keeps the trials that have ended: each study that is opened would else read all anew.
    """
    for attempt in range(1, MOST_ATTEMPTS + 1):
        try:
            database = RDBStorage(
                _with_driver(url),
                engine_kwargs=_engine(url),
                heartbeat_interval=HEARTBEAT_SECONDS,
                grace_period=GRACE_SECONDS,
                heartbeat_stale_trial_callback=partial(
                    put_back, out=out, died=f"it was not heard of for {GRACE_SECONDS} s"
                ),
            )
            return get_storage(database)
        except Exception as error:
            made_elsewhere = any(kind in str(error) for kind in MADE_AT_ONCE)
            if not made_elsewhere or attempt == MOST_ATTEMPTS:
                raise
            time.sleep(attempt)
    raise AssertionError("the last attempt returns or raises")


def _with_driver(url: str) -> str:
    """The URL with the driver that is a dependency here, where it names none."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return f"postgresql+psycopg://{url.removeprefix(scheme)}"
    return url


def _engine(url: str) -> dict[str, Any]:
    waits = {"connect_args": {"connect_timeout": CONNECT_SECONDS}} if "postgres" in url else {}
    return {"pool_pre_ping": True, **waits}


def open_study(
    storage: BaseStorage, name: str, identity: Mapping[str, Any], **kwargs: Any
) -> optuna.Study:
    """A study by its name, made where it is not there.

    Args:
        storage: where it is.
        name: of the study.
        identity: what must be equal for all that join it; the first one notes it.
        **kwargs: of `optuna.create_study`.

    Raises:
        SuiteError: the study was begun on other data, or under another protocol.
    """
    study = optuna.create_study(storage=storage, study_name=name, load_if_exists=True, **kwargs)
    noted = study.user_attrs.get(IDENTITY)
    identity = {FORM: PRESENT_FORM, **identity}
    if noted is None:
        study.set_user_attr(IDENTITY, identity)
        return study
    if noted.get(FORM) != PRESENT_FORM:
        raise SuiteError(
            f"the search {name!r} was begun by a version of the suite whose space of structures is "
            "another",
            remedy="Go on with that version, or name another --out (with --storage, another "
            "--name); --warm-start begins with the best structures of a folder.",
        )
    differ = [key for key in {**noted, **identity} if noted.get(key) != identity.get(key)]
    if differ:
        said = "; ".join(f"{key}: {noted.get(key)!r}, now {identity.get(key)!r}" for key in differ)
        raise SuiteError(
            f"the search {name!r} was begun with something else ({said})",
            remedy="Give the command that it was begun with, or name another --out (with "
            "--storage, another --name).",
        )
    return study
