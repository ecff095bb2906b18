"""Passwords and users' folders stay out of what is written."""

from __future__ import annotations

import pytest

from suite.privacy import (
    credentials,
    shown_command,
    with_home,
    without_credentials,
    without_home,
)

SECRET = "p/a#s@s?w:d"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@host/db", "postgresql://...@host/db"),
        ("--storage=postgresql://me:secret@host/db", "--storage=postgresql://...@host/db"),
        (f"postgresql://me:{SECRET}@host/db", "postgresql://...@host/db"),
        ("postgresql://me@host:5432/db", "postgresql://...@host:5432/db"),
        ("postgresql://host/db?user=me&password=secret", "postgresql://host/db?..."),
        ("postgresql://host/db#secret", "postgresql://host/db?..."),
        ("sqlite:///trials.db", "sqlite:///trials.db"),
        ("nyt11", "nyt11"),
    ],
)
def test_a_url_shows_its_place_alone(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


def test_all_forms_of_a_password_are_known() -> None:
    assert credentials("postgresql://me:a%2Fb@host/db?password=c%23d") == (
        *("a%2Fb", "a/b"),
        *("c%23d", "c#d"),
    )
    assert credentials("postgresql://host/db") == ()


def test_paths_begin_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert without_home("--out=/home/ada/runs") == "--out=~/runs"
    assert without_home("/home/adam/x") == "/home/adam/x"
    assert without_home("/data/home/ada/x") == "/data/home/ada/x"
    assert with_home("~/runs") == "/home/ada/runs"
    assert with_home("~nobody/runs") == "~nobody/runs"
    words = ("/usr/bin/run-suite", "--out", "/home/ada/x", "--storage=a://b:c@d/e")
    assert shown_command(words) == ("run-suite", "--out", "~/x", "--storage=a://...@d/e")
