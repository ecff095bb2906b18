"""A report's markdown read back: what the page and the LaTeX tables are made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")
"""Tags in the text are text: none of them reaches a page as a tag."""
CELLS = ("th_open", "td_open")
"""Types of the tokens with which a table's cells begin."""


class MarkdownTable(NamedTuple):
    """A pipe table.

    Attributes:
        head: the headings, each with its inline tokens as children.
        right: whether each column is set to the right.
        rows: the cells below, as those of `head`.
    """

    head: list[Token]
    right: list[bool]
    rows: list[list[Token]]


def tables(text: str) -> Iterator[MarkdownTable]:
    """The tables of a text, from the top."""
    rows: list[list[Token]] = []
    right: list[bool] = []
    for token, following in pairwise(PARSER.parse(text)):
        if token.type == "table_open":
            rows, right = [], []
        elif token.type == "tr_open":
            rows.append([])
        elif token.type in CELLS:
            rows[-1].append(following)
            if token.type == "th_open":
                right.append(is_right(token))
        elif token.type == "tbody_close":
            yield MarkdownTable(rows[0], right, rows[1:])


def is_right(cell: Token) -> bool:
    """Whether a cell is set to the right."""
    return cell.attrGet("style") == "text-align:right"


def plain(inline: Token) -> str:
    """The words of an inline token, without markup."""
    return _words(inline.children or ())


def _words(tokens: Sequence[Token]) -> str:
    return "".join(
        " " if t.type in ("softbreak", "hardbreak") else _words(t.children or ()) or t.content
        for t in tokens
    )
