"""YAML of users: read where it is plain, refused in a phrase where a command cannot bear it."""

from __future__ import annotations

import pytest

from suite.plain_yaml import MOST_DEPTH, NotPlainError, parse_yaml

LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9)
)
"""The billion laughs: nine lines, 43 million values."""


def test_plain_values_are_read() -> None:
    assert parse_yaml("{a: [1, 2.5, true, null, text], 3: &x {b: c}, d: *x}") == {
        "a": [1, 2.5, True, None, "text"],
        3: {"b": "c"},
        "d": {"b": "c"},
    }
    assert parse_yaml("") is None
    assert parse_yaml("[" * MOST_DEPTH + "]" * MOST_DEPTH) is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1", "is not YAML"),
        ("[" * 100_000, "lists or tables in one another"),
        ("{a: " * 100_000, "lists or tables in one another"),
        ("- " * 1000 + "a", "lists or tables in one another"),
        ("9" * 5000, r"is not YAML \(Exceeds the limit"),
        (f"0x{'f' * 5000}", "more than 63 bits"),
        ("!!int x", r"is not YAML \(invalid literal"),
        ("!!bool x", r"is not YAML \('x'\)"),
        ("!!timestamp x", "is not YAML"),
        ("2020-13-45", r"is not YAML \(month must be in 1\.\.12\)"),
        ("2020-12-24", "holds a date, where a text would stand in quotes"),
        ("!!binary aGk=", "holds a bytes"),
        ("!!set {a, b}", "holds a set"),
        ("&a [*a]", "lists or tables in one another"),
        (LAUGHS, "more than 100,000 values"),
        ("a: \udce9", "is not YAML"),
        ("a: \x00", "is not YAML"),
        ("!!python/object:os.system {}", "is not YAML"),
    ],
)
def test_what_is_not_plain_is_refused(text: str, said: str) -> None:
    with pytest.raises(NotPlainError, match=said) as caught:
        parse_yaml(text)
    assert len(str(caught.value)) < 400
