"""Tables in LaTeX: every letter as it is in the table, and a file that compiles."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.cells import markdown
from reports.forms.latex import SIGNS, all_tables, escaped, is_foreign
from suite.quoting import quoted

ENGINES = ("pdflatex", "tectonic")


def one(table: dict[str, list[str]]) -> str:
    (made,) = all_tables({"t": markdown(table)}).values()
    return made


def test_a_table_by_hand() -> None:
    made = one(
        {"System": ["A_1 & b", "C"], "F1 (%)": ["55.3 ± 2.3", "-"], "p": ["< 0.001", "-0.5"]}
    )
    assert made == (
        "% \\usepackage{booktabs}\n"
        "\\begin{tabular}{lrr}\n"
        "\\toprule\n"
        "System & F1 (\\%) & p \\\\\n"
        "\\midrule\n"
        "A\\_1 \\& b & 55.3 $\\pm$ 2.3 & \\textless{} 0.001 \\\\\n"
        "C & -- & $-$0.5 \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a]*", "{[}a]{*}"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("a-1", "a-1"),
        ("-4.3 to -1.7", "$-$4.3 to $-$1.7"),
        ("2022-01-02", "2022-01-02"),
        ("50 %\x07", r"50 \%"),
    ],
)
def test_letters(text: str, expected: str) -> None:
    assert escaped(text) == expected


def test_markup_of_a_cell_stays() -> None:
    made = one({"**a** `b_c`": ["*d*"]})
    assert r"\textbf{a} \texttt{b\_c}" in made
    assert r"\emph{d} \\" in made


def test_further_tables_of_a_part_are_numbered() -> None:
    two = markdown({"a": ["1"]}) + "\ntext\n\n" + markdown({"b": ["2"]})
    assert list(all_tables({"x": two, "y": "no table\n"})) == ["x", "x-2"]


def test_letters_that_pdflatex_lacks_are_told() -> None:
    assert "% LuaLaTeX or XeLaTeX, with a font that has 创 始\n" in one({"a": ["创始"]})
    assert "LuaLaTeX" not in one({"a": ["é ± → “x”"]})


@given(st.text(max_size=30))
def test_no_letter_is_a_command(text: str) -> None:
    """Every backslash is one that was written for a letter, and braces are in balance."""
    made = one({"a": [quoted(text)]}).splitlines()
    (row,) = [line for line in made if line.endswith(r" \\")][1:]
    cell = row.removesuffix(r" \\")
    commands = re.findall(r"\\(?:[a-zA-Z]+|.)", cell)
    known = r"\\(text[a-z]+|pm|rightarrow|ldots|[&%$#_{}])"
    assert all(re.fullmatch(known, command) for command in commands), cell
    bare = re.sub(r"\\.", "", cell)
    assert bare.count("{") == bare.count("}")
    assert not set("&%#_~^") & set(re.sub(r"\\.", "", cell))


@pytest.fixture(scope="module")
def engine() -> str:
    found = next(filter(shutil.which, ENGINES), None)
    if found is None:
        pytest.skip(f"LaTeX is not installed: none of {', '.join(ENGINES)}")
    return found


def test_the_tables_of_a_report_compile(engine: str, reported: Path, tmp_path: Path) -> None:
    found = sorted((reported / "tables").glob("*.tex"))
    names = {path.stem for path in found}
    assert {"webnlg-star-scores", "webnlg-star-differences", "nyt11-1-slices-seen"} <= names
    letters = [c for c in [*map(chr, range(32, 384)), *SIGNS] if not is_foreign(c)]
    assert len(letters) > 350
    odd = one({"a": [quoted("".join(letters))]})
    assert "LuaLaTeX" not in odd
    (tmp_path / "odd.tex").write_text(odd)
    inputs = "".join(f"\\input{{{path}}}\n\n" for path in (*found, tmp_path / "odd.tex"))
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{booktabs}\n"
        "\\usepackage[paperwidth=150cm,paperheight=150cm,margin=1cm]{geometry}\n"
        f"\\begin{{document}}\n{inputs}\\end{{document}}\n"
    )
    options = ["-interaction=nonstopmode", "-halt-on-error"] if engine == "pdflatex" else []
    done = subprocess.run(
        [engine, *options, "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",  # it breaks its lines within letters
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")
