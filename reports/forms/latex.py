r"""Tables of a report in LaTeX, for `\input` in a paper that loads `booktabs`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import pandas as pd
from markdown_it.token import Token

from reports.forms.parsed import MarkdownTable, tables

_ESCAPED = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': "''",
        "`": r"\textasciigrave{}",
        "±": r"$\pm$",
        "→": r"$\rightarrow$",
        "…": r"\ldots{}",
        # After `\\` they would be read as its arguments.
        "[": "{[}",
        "*": "{*}",
    }
)
_MINUS = re.compile(r"(?<![\w.)\]}-])-(?=[\d.])")
_MARKUP = {
    "strong_open": r"\textbf{",
    "strong_close": "}",
    "em_open": r"\emph{",
    "em_close": "}",
    "softbreak": " ",
    "hardbreak": " ",
}

SIGNS = "\u2013\u2014\u2018\u2019\u201c\u201d\u2020\u2021\u2022\u20ac\u2122"
"""What LaTeX knows beyond letters: dashes, quotation marks, daggers, bullet, euro, trade mark."""
_LACKING = "\u0126\u0127\u0138\u013f\u0140\u0149\u0166\u0167\u017f"
"""Latin letters that its encoding T1 has no place for."""


def all_tables(parts: Mapping[str, str]) -> dict[str, str]:
    """The LaTeX files of a report's tables by name; a part's further tables are numbered from 2.

    Args:
        parts: name -> markdown that holds tables; of none that holds no table there is a file.
    """
    return {
        f"{name}-{number}" if number > 1 else name: tabular(table)
        for name, text in parts.items()
        for number, table in enumerate(tables(text), start=1)
    }


def tabular(table: MarkdownTable) -> str:
    """A table as a `tabular` between the rules of `booktabs`."""
    head = [_cell(token) for token in table.head]
    body = [[_cell(token) for token in row] for row in table.rows]
    foreign = sorted({c for row in [head, *body] for cell in row for c in cell if is_foreign(c)})
    made = pd.DataFrame(body, columns=head).to_latex(
        index=False,
        escape=False,
        column_format="".join("r" if right else "l" for right in table.right),
    )
    note = f"% LuaLaTeX or XeLaTeX, with a font that has {' '.join(foreign)}\n" if foreign else ""
    return f"% \\usepackage{{booktabs}}\n{note}{made}"


def _cell(inline: Token) -> str:
    return _typeset(inline.children or ())


def _typeset(tokens: Sequence[Token]) -> str:
    return "".join(
        _MARKUP.get(t.type, "") or _code(t) or _typeset(t.children or ()) or escaped(t.content)
        for t in tokens
    )


def _code(token: Token) -> str:
    return rf"\texttt{{{escaped(token.content)}}}" if token.type == "code_inline" else ""


def escaped(text: str) -> str:
    """Text as LaTeX prints it: no letter of it is a command, and a minus is one."""
    if text.strip() == "-":
        return "--"
    shown = "".join(c for c in text if unicodedata.category(c) != "Cc")
    return _MINUS.sub("$-$", shown.translate(_ESCAPED))


def is_foreign(letter: str) -> bool:
    """Whether pdfLaTeX has no shape for it: it has for most Latin letters and for a few signs."""
    return letter in _LACKING or (ord(letter) > 0x17F and letter not in SIGNS)
