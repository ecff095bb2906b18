"""The report as a page: the text's own words and nothing that they could do."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.cells import Picture, escape, markdown
from reports.forms.page import page
from reports.report import write_report
from suite.quoting import quoted
from tests.reports import folder
from tests.reports.forms.html import elements, of
from tests.reports.markdown import tables

SVG = (
    b'<?xml version="1.0"?>\n<svg viewBox="0 0 1 1"><!-- a --><path id="p"/><use href="#p"/></svg>'
)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "![x](https://example.org/x.png)",
    "[x](javascript:alert(1))",
    "</td></table></details><script>alert(1)</script>",
    "<svg onload=alert(1)>",
    "&lt;script&gt;",
)
LOADING = ("src", "srcset", "data", "poster", "action", "formaction", "background")


@pytest.fixture(scope="module")
def shown(reported: Path) -> str:
    return (reported / "report.html").read_text()


def harmless(shown: str) -> None:
    """Nothing runs but the page's script, and nothing is loaded."""
    (script,) = of(shown, "script")
    digest = base64.b64encode(hashlib.sha256("".join(script.words).encode()).digest()).decode()
    policy = next(
        e.attributes["content"] for e in of(shown, "meta") if "http-equiv" in e.attributes
    )
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    for element in elements(shown):
        assert element.tag not in ("img", "iframe", "object", "embed", "link", "base", "form")
        for name, value in element.attributes.items():
            assert not name.startswith("on"), f"{name} of <{element.tag}>"
            assert name not in LOADING, f"{name} of <{element.tag}>"
            if name.endswith("href"):
                drawn = element.tag == "image" and value.startswith("data:image/png;base64,")
                scheme = value.lower().partition(":")[0]
                assert drawn or scheme not in ("javascript", "data", "vbscript"), value
            assert not re.search(r"url\((?!#)", value), f"{name} of <{element.tag}> loads {value}"


def test_it_needs_nothing_else(shown: str) -> None:
    harmless(shown)
    assert not [e for e in of(shown, "a") if "://" in e.attributes["href"]]
    assert "@import" not in shown
    assert not re.search(r"url\((?!#)", of(shown, "style")[0].text)


def test_it_has_every_cell_of_the_text(shown: str, text: str) -> None:
    there = [e.text.replace("\xa0", " ") for e in of(shown, "th", "td")]
    wanted = [cell for table in tables(text) for row in (table[0], *table[2:]) for cell in row]
    assert len(there) == len(wanted) > 1000
    plain = [re.sub(r"\\(.)", r"\1", cell).replace("`", "").replace("**", "") for cell in wanted]
    assert [a for a, b in zip(there, plain, strict=True) if a != b] == []


def test_every_figure_is_drawn_in_it(shown: str, text: str) -> None:
    named = re.findall(r"!\[([^\]]*)\]\(", text)
    figures = [e for e in of(shown, "span") if e.attributes.get("role") == "img"]
    assert [e.attributes["aria-label"] for e in figures] == [n.replace("\\", "") for n in named]
    assert len(of(shown, "svg")) == len(named) >= 14


def test_names_of_parts_are_its_own(shown: str) -> None:
    found = [e.attributes["id"] for e in elements(shown) if "id" in e.attributes]
    assert len(found) == len(set(found))
    links = [e.attributes["href"] for e in of(shown, "a")]
    links += [v for e in of(shown, "use") for k, v in e.attributes.items() if k.endswith("href")]
    links += re.findall(r"url\((#[^)]*)\)", shown)
    assert {link for link in links if link.startswith("#")} <= {f"#{name}" for name in found}
    assert len(links) > 100


def test_headings_step_down_one_by_one(shown: str) -> None:
    levels = [int(e.tag[1]) for e in of(shown, "h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_first_sections_are_unfolded(shown: str, text: str) -> None:
    sections = [e for e in of(shown, "details") if e.attributes.get("class") == "section"]
    assert [e.text.split("\n")[0] for e in sections] == re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert ["open" in e.attributes for e in sections] == [i < 2 for i in range(len(sections))]


def test_rows_and_columns_are_headed(shown: str) -> None:
    assert {e.attributes["scope"] for e in of(shown, "th")} == {"row", "col"}
    assert "style" not in {name for e in of(shown, "th", "td") for name in e.attributes}
    boxes = [e for e in of(shown, "div") if e.attributes.get("class") == "table"]
    labels = [e.attributes["aria-label"] for e in boxes]
    assert len(set(labels)) == len(labels) == len(of(shown, "table"))


def test_a_figure_brings_no_name_that_another_has() -> None:
    pictures = {name: Picture(b"", SVG, b"") for name in ("a-b", "c.d")}
    shown = page("# T\n\n![one](figures/a-b.png)\n\n![two](figures/c.d.png)\n", pictures)
    assert [e.attributes["id"] for e in of(shown, "path")] == ["figure-1-p", "figure-2-p"]
    assert [e.attributes["href"] for e in of(shown, "use")] == ["#figure-1-p", "#figure-2-p"]
    assert "<!-- a" not in shown


def test_a_picture_that_the_report_does_not_have_is_words() -> None:
    shown = page("# T\n\n![one](figures/a.png) ![two](https://example.org/b.png)\n", {})
    assert "one two" in of(shown, "main")[0].text
    harmless(shown)


def test_other_reports_are_linked_as_pages() -> None:
    shown = page("# T\n\n[finals](finals/report.md) [there](https://example.org/a.md)\n", {})
    targets = [e.attributes["href"] for e in of(shown, "main", "a") if e.tag == "a"]
    assert targets[-2:] == ["finals/report.html", "https://example.org/a.md"]


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report whose system, dataset, notes, relations and reasons are what an attacker chose."""
    out = tmp_path_factory.mktemp("attacked")
    one, other, note, link, closing, *_ = HOSTILE
    plan = folder.plan(datasets=("nyt11",), systems=("fastre", "casrel"), seeds=(0, 1))
    facts = folder.dataset_facts("nyt11").model_copy(update={"title": closing, "notes": (note,)})
    plan.model_copy(update={"name": other}).write(out)
    for name, title in (("fastre", one), ("casrel", link)):
        run = folder.record(name, "nyt11", 0)
        assert run.test is not None
        slices = {**run.test.slices, "relation": dict.fromkeys(HOSTILE, run.test.partial)}
        changed = {
            "system": run.system.model_copy(update={"title": title, "departures": HOSTILE}),
            "dataset": facts,
            "test": run.test.model_copy(update={"slices": slices}),
        }
        folder.write_run(out, run.model_copy(update=changed), folder.epochs(0.5, 1, 0))
    failed = folder.stopped(folder.record("fastre", "nyt11", 1), "failed", closing)
    folder.write_run(out, failed, [])
    write_report(out)
    return out


def test_words_of_others_are_words(attacked: Path) -> None:
    shown = (attacked / "report.html").read_text()
    harmless(shown)
    (main,) = of(shown, "main")
    assert main.text.count("<script>alert(1)</script>") > 20
    for title in HOSTILE:
        if "](" not in title:
            assert title in main.text


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_becomes_a_tag(one: str, other: str) -> None:
    """Neither where a section quotes it, nor where it does not."""
    text = f"# {one}\n\n## 1. {other}\n\n{markdown({escape(one) or 'a': [quoted(other)]})}\n{one}\n"
    shown = page(text, {})
    harmless(shown)
    cells = of(shown, "td", "th")
    if len(cells) == 2:
        assert cells[1].text == (" ".join(other.split()) or "-")
