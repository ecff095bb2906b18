"""What must not stand in files that are passed on: passwords, and the names of users in paths."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias
from urllib.parse import unquote

from pydantic import BeforeValidator, PlainSerializer

HIDDEN = "..."
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<rest>.*)", re.DOTALL)


def without_credentials(text: str) -> str:
    """A text whose URL shows its host and path alone.

    What stands before the last `@` is left out, however a password in it is written, and so is all
    that follows a `?` or `#` after it.

    Args:
        text: that ends with the URL, as an argument of a command does; one without a URL is given
            back.
    """
    found = _URL.search(text)
    if found is None:
        return text
    before = text[: found.start()] + found["scheme"]
    user, at, place = found["rest"].rpartition("@")
    shown, mark, _ = re.sub(r"[#?]", "\0", place, count=1).partition("\0")
    return before + (f"{HIDDEN}@" if at or user else "") + shown + (f"?{HIDDEN}" if mark else "")


def credentials(url: str) -> tuple[str, ...]:
    """The password of a URL, as it is written there and as it is meant, and those of its query."""
    rest = url.partition("://")[2]
    user, _, _ = rest.rpartition("@")
    raw = [user.partition(":")[2], *re.findall(r"pass\w*=([^&#]+)", rest)]
    return tuple(dict.fromkeys(form for one in raw if one for form in (one, unquote(one))))


def without_home(text: str) -> str:
    """A text whose paths below the user's folder begin with `~`."""
    home = str(Path.home())
    if home == "/":
        return text
    return re.sub(rf"(?<![\w/.~-]){re.escape(home)}(?=/|$)", "~", text)


def with_home(text: str) -> str:
    """A path or name as `without_home` writes it, on this machine."""
    return str(Path(text).expanduser()) if text == "~" or text.startswith("~/") else text


def shown_command(arguments: Sequence[str]) -> tuple[str, ...]:
    """A command line as files keep it: the program's name, no credentials, no user's folder."""
    program, *others = arguments
    return (Path(program).name, *(without_home(without_credentials(a)) for a in others))


def _expanded(value: object) -> object:
    return with_home(value) if isinstance(value, str) else value


def _shortened(value: object) -> str | None:
    return None if value is None else without_home(str(value))


PortablePath: TypeAlias = Annotated[
    Path, BeforeValidator(_expanded), PlainSerializer(_shortened, when_used="json")
]
"""A path that JSON holds from `~` on where it lies in the user's folder."""

PortableName: TypeAlias = Annotated[
    str, BeforeValidator(_expanded), PlainSerializer(_shortened, when_used="json")
]
"""A name, or a path as text, that JSON holds likewise."""
