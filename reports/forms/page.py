"""A report as one HTML file that needs nothing else: no network, no file beside it.

Whatever the text holds of datasets and systems is text on the page. Should a tag slip through all
the same, the page's policy (CSP) lets no script run but the one whose hash it names, and loads
nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import unquote

from jinja2 import Environment, Template
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

from reports.cells import Pictures
from reports.forms.parsed import CELLS, PARSER, is_right, plain

OPEN = 2
"""Sections that are unfolded when the page is opened: the answer, and what to know first."""


class Section(NamedTuple):
    """A section of the page.

    Attributes:
        name: its anchor.
        title: in words.
        parts: anchor -> title of the headings below it.
        body: as HTML.
    """

    name: str
    title: str
    parts: Mapping[str, str]
    body: Markup


def page(text: str, pictures: Pictures) -> str:
    """The page of a report.

    Args:
        text: its markdown, with one heading of the first level.
        pictures: the figures that the text refers to, which are drawn in it.
    """
    tokens = PARSER.parse(text)
    starts = [
        i
        for i, token in enumerate(tokens)
        if (token.type, token.tag, token.level) == ("heading_open", "h2", 0)
    ]
    bounds = [*starts, len(tokens)]
    env: dict[str, Any] = {"pictures": pictures, "tables": 0, "figures": 0}
    introduction = _html(tokens[: bounds[0]], "Introduction", env)
    sections = [_section(tokens[a:b], env) for a, b in pairwise(bounds)]
    script = _asset("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _template().render(
        title=next((plain(tokens[i + 1]) for i, t in enumerate(tokens) if t.tag == "h1"), "Report"),
        introduction=introduction,
        sections=sections,
        open=OPEN,
        style=Markup(_asset("page.css")),
        script=Markup(script),
        digest=digest,
    )


def _section(tokens: Sequence[Token], env: dict[str, Any]) -> Section:
    """Of tokens that begin with its heading: opening, words, close."""
    title = plain(tokens[1])
    name = _anchor(title)
    body = list(tokens[3:])
    anchors: dict[str, str] = {}
    parts = {}
    for opening, words in pairwise(body):
        if opening.type == "heading_open":
            anchor = _unique(f"{name}--{_anchor(plain(words))}", anchors)
            opening.attrs["id"] = anchor
            anchors[anchor] = plain(words)
            if opening.tag == "h3":
                parts[anchor] = plain(words)
    return Section(name, title, parts, _html(body, title, env))


def _anchor(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower()).strip("-")


def _unique(anchor: str, taken: Mapping[str, str]) -> str:
    several = (f"{anchor}-{i}" if i > 1 else anchor for i in range(1, len(taken) + 2))
    return next(name for name in several if name not in taken)


def _html(tokens: Sequence[Token], place: str, env: dict[str, Any]) -> Markup:
    """Tokens as HTML.

    Args:
        tokens: blocks.
        place: the section that they are in, by which its tables are announced.
        env: the figures of the page, and how many tables and figures it has had.
    """
    env["place"] = place
    _mark_cells(tokens)
    # The renderer has escaped all text.
    return Markup(_RENDERER.render(tokens, PARSER.options, env))


def _mark_cells(tokens: Sequence[Token]) -> None:
    """Cells by class, not by style; the first of each row heads it."""
    column = 0
    for token in tokens:
        column = 0 if token.type == "tr_open" else column
        if token.type in CELLS:
            if is_right(token):
                token.attrs["class"] = "right"
            token.attrs.pop("style", None)
            if token.type == "th_open" or column == 0:
                token.attrs["scope"] = "col" if token.type == "th_open" else "row"
                token.tag = "th"
        elif token.type == "td_close":
            token.tag = "th" if column == 0 else "td"
        column += token.type in ("th_close", "td_close")


class _Renderer(RendererHTML):
    """Tables in boxes that scroll, figures in the page, links to other reports' pages."""

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        env["tables"] += 1
        label = escapeHtml(f"{env['place']}, table {env['tables']}")
        return f'<div class="table" role="region" tabindex="0" aria-label="{label}">\n<table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "</table>\n</div>\n"

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A figure of the report; of any other picture, which might be anywhere, its words."""
        words = escapeHtml(plain(tokens[idx]))
        source = unquote(str(tokens[idx].attrs["src"]))
        picture = env["pictures"].get(source.removeprefix("figures/").removesuffix(".png"))
        if picture is None:
            return words
        env["figures"] += 1
        drawn = _inline(picture.svg.decode(), f"figure-{env['figures']}")
        return f'<span class="figure" role="img" aria-label="{words}">{drawn}</span>'

    def text(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Words, in which no line ends between a mean and its deviation."""
        return escapeHtml(tokens[idx].content).replace(" ± ", "&nbsp;±&nbsp;")

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        target = str(token.attrs.get("href", ""))
        if re.fullmatch(r"[\w/-]+\.md", target):
            token.attrs["href"] = target.removesuffix(".md") + ".html"
        return self.renderToken(tokens, idx, options, env)


_RENDERER = _Renderer()


def _inline(svg: str, name: str) -> str:
    """A drawing as an element of a page, where its parts have names that no other drawing has."""
    drawing = svg[svg.index("<svg") :]
    drawing = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'(\sid="|url\(#|href="#)', rf"\g<1>{name}-", drawing)
    return drawing.strip()


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text()


@cache
def _template() -> Template:
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        _asset("page.html")
    )
