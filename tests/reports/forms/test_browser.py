"""The page in a browser: a click sorts a table, a link unfolds its section."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from reports.cells import markdown
from reports.forms.page import page
from tests.reports.forms.html import of

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WIDE = "55.3\u00a0±\u00a02.3"
"""As the page has it: no line breaks within."""
F1 = [
    WIDE,
    "-",
    "9.1",
    "46.2, 51.3 (2 of 3 seeds)",
    "out of memory",
    "100.0 %",
    "9.1",
]
MEMORY = ["1,024 (shared)", "-", "< 0.001", "1.5e3", "+2.5", "-3", "12"]
NAMES = ["over 60", "b", "-", "21 to 40", "1 to 20", "a", "c"]
TEXT = (
    "# T\n\n## 1. First\n\nOne.\n\n## 2. Second\n\n"
    + markdown({"Name": NAMES, "F1": F1, "Memory": MEMORY})
    + "\n## 3. Third\n\n### Far\n\nBelow.\n"
)
CLICKS = """
<script>
const told = document.createElement("pre");
told.id = "told";
const column = (i) => [...document.querySelectorAll("tbody tr")].map((r) => r.cells[i].textContent);
const says = (...what) => told.append(JSON.stringify(what) + "\\n");
const buttons = [...document.querySelectorAll("th button")];
for (const [i, button] of buttons.entries())
  for (let n = 0; n < 3; n++) {
    button.click();
    says(i, document.querySelectorAll("th[aria-sort]")[i].getAttribute("aria-sort"), column(i));
  }
const open = () => [...document.querySelectorAll("details.section")].map((d) => d.open);
says("open", open());
location.hash = "#3-third--far";
setTimeout(() => {
  says("open", open());
  document.body.append(told);
}, 300);
</script>
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a script found that clicked through the page, line by line."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser is installed: none of {', '.join(BROWSERS)}")
    place = tmp_path_factory.mktemp("browser")
    shown = page(TEXT, {})
    policy = re.search(r'<meta http-equiv="Content-Security-Policy".*?>', shown)
    assert policy, "the page has no policy"
    # The policy would let no other script run than the page's own.
    shown = shown.replace(policy.group(), "").replace("</body>", f"{CLICKS}</body>")
    (place / "page.html").write_text(shown)
    done = subprocess.run(
        [
            browser,
            *OPTIONS,
            f"--user-data-dir={place / 'profile'}",
            "--virtual-time-budget=5000",
            "--dump-dom",
            (place / "page.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found = [e for e in of(done.stdout, "pre") if e.attributes.get("id") == "told"]
    assert found, done.stderr[-2000:]
    return found[0].text.splitlines()


def said(*what: object) -> str:
    import json

    return json.dumps(what, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize(
    ("column", "upwards"),
    [
        (0, ["1 to 20", "21 to 40", "a", "b", "c", "over 60", "-"]),
        (
            1,
            [
                "9.1",
                "9.1",
                "46.2, 51.3 (2 of 3 seeds)",
                WIDE,
                "100.0 %",
                "out of memory",
                "-",
            ],
        ),
        (2, ["-3", "< 0.001", "+2.5", "12", "1,024 (shared)", "1.5e3", "-"]),
    ],
)
def test_clicks_sort_by_value(told: list[str], column: int, upwards: list[str]) -> None:
    words = [cell for cell in upwards if cell in ("out of memory",)]
    numbers = upwards[: len(upwards) - 1 - len(words)]
    downwards = [*reversed(numbers), *words, "-"]
    first, second, third = told[3 * column : 3 * column + 3]
    assert first == said(column, "ascending", upwards)
    assert second == said(column, "descending", downwards)
    assert third == said(column, "none", [NAMES, F1, MEMORY][column])


def test_a_link_unfolds_its_section(told: list[str]) -> None:
    before, after = told[-2:]
    assert before == said("open", [True, True, False])
    assert after == said("open", [True, True, True])
