"""A page as a browser's parser sees it: elements with their attributes and texts."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import NamedTuple

VOID = {"meta", "br", "hr", "img", "link", "input", "base"}


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str]
    words: list[str]

    @property
    def text(self) -> str:
        """All words below it."""
        return "".join(self.words).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Element] = []
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, [])
        self.found.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(Element(tag, {name: value or "" for name, value in attrs}, []))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        last = self.open.pop()
        assert last.tag == tag, f"</{tag}> closes <{last.tag}>"

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.words.append(data)


def elements(page: str) -> list[Element]:
    """All elements in their order; every one that opens must close where it should."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open, f"{reader.open[-1].tag} is never closed"
    return reader.found


def of(page: str, *tags: str) -> list[Element]:
    """The elements of these tags."""
    return [element for element in elements(page) if element.tag in tags]
