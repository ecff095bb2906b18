"""What becomes of a sound file: cut, doubled, or with something in it that no one expects there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hypothesis import strategies as st

DEEP = 20_000
VALUES = (
    *("0", "-1", "1", "1.5", "1e999", "-0.0", "NaN", "-Infinity", f"1{'0' * 30}", "9" * 5000),
    *("null", "true", "[]", "{}", '""', '" "', '"\\ud800"', '"\\u0000"', '"a\\nb"', '"\\u2028"'),
    *('"' + "x" * 3000 + '"', "[" * DEEP, '{"a":' * DEEP, "[" * 200 + "]" * 200, '{"a":1,"a":2}'),
    *("!!int x", "!!timestamp x", "2020-12-24", "&a [*a]", "*none", "0x" + "f" * 5000, "1:2:3"),
    *("~", ".inf", ".nan", "- ", "? ", "<<: [1]", "\t", "%", "@", "`", "'", '"', ",", ":", "|"),
)
"""In place of a value of JSON or YAML, or anywhere."""
BYTES = (
    *(b"", b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\n", b"\n\n"),
    *(
        b" ",
        b"  ",
        b"\x0b",
        b"\xc2\x85",
        b"\xe3\x80\x80",
        b";",
        b"|",
        b" ; ",
        b" | ",
        b"-DOCSTART-",
    ),
    *(b"B-", b"I-", b"O", b"\xf0\x9f\x98\x80", b"nan", b"inf", b"1e400", b"--1", b"x" * 3000),
    *(value.encode() for value in VALUES),
)
_VALUE = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|[\[\]{}]|[\w-]+')


@dataclass(frozen=True)
class Mutation:
    """One change of a file.

    Attributes:
        kind: of change.
        place, length: where and how much, as shares of the file.
        inserted: what is put there.
    """

    kind: str
    place: float
    length: float
    inserted: bytes

    def of(self, content: bytes) -> bytes:
        """The content changed."""
        size = len(content)
        start = int(self.place * size)
        end = start + int(self.length * (size - start))
        if self.kind == "value" and (found := list(_VALUE.finditer(content))):
            one = found[min(len(found) - 1, int(self.place * len(found)))]
            start, end = one.span()
        kept, instead = {
            "cut": (b"", b""),
            "double": (content[end:], 2 * content[start:end]),
            "delete": (content[end:], b""),
            "value": (content[end:], self.inserted),
            "insert": (content[start:], self.inserted),
            "flip": (content[start + 1 :], bytes(b ^ 16 for b in content[start : start + 1])),
        }[self.kind]
        return content[:start] + instead + kept


_SHARES = st.floats(0, 1, allow_nan=False)
MUTATIONS = st.lists(
    st.builds(
        Mutation,
        st.sampled_from(("value", "value", "value", "insert", "cut", "double", "delete", "flip")),
        _SHARES,
        _SHARES,
        st.sampled_from(BYTES),
    ),
    min_size=1,
    max_size=3,
)
"""One change or a few."""


def mutated(content: bytes, mutations: list[Mutation]) -> bytes:
    """The content after all of the changes."""
    for mutation in mutations:
        content = mutation.of(content)
    return content
