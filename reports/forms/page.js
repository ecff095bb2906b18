"use strict";

// "12.3 ± 0.4" is 12.3, "1,024 (shared)" 1024, "< 0.001" 0.001, "45.0 %" 45.
const NUMBER = /^[<>]?\s*([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d+)?)/i;
const ABSENT = new Set(["", "-"]);

function numberOf(text) {
  const found = NUMBER.exec(text);
  return found ? Number(found[1].replaceAll(",", "")) : null;
}

/* Numbers by value, then words; what there is not stands last in either direction. */
function compare(a, b, byValue, direction) {
  const absent = ABSENT.has(a.text) - ABSENT.has(b.text);
  if (absent) return absent;
  if (byValue) {
    const words = (a.number === null) - (b.number === null);
    if (words) return words;
    if (a.number !== null && a.number !== b.number) return direction * (a.number - b.number);
  }
  return direction * a.text.localeCompare(b.text, "en", { numeric: true });
}

function sortBy(table, column, direction) {
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => {
    const text = row.cells[column].textContent.trim();
    return { row, text, number: numberOf(text), place: Number(row.dataset.place) };
  });
  const told = rows.filter((r) => !ABSENT.has(r.text));
  const byValue = told.filter((r) => r.number !== null).length * 2 >= told.length;
  rows.sort((a, b) => (direction && compare(a, b, byValue, direction)) || a.place - b.place);
  body.append(...rows.map((r) => r.row));
}

/* One click sorts upwards, a second downwards, a third gives the report's own order back. */
const NEXT = { none: "ascending", ascending: "descending", descending: "none" };
const DIRECTIONS = { none: 0, ascending: 1, descending: -1 };

for (const table of document.querySelectorAll(".table > table")) {
  const heads = [...table.tHead.rows[0].cells];
  [...table.tBodies[0].rows].forEach((row, place) => {
    row.dataset.place = place;
  });
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const order = NEXT[head.getAttribute("aria-sort")];
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", order);
      sortBy(table, column, DIRECTIONS[order]);
    });
  });
}

const sections = [...document.querySelectorAll("details.section")];

function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const section = target && target.closest("details.section");
  if (section && !section.open) {
    section.open = true;
    target.scrollIntoView();
  }
}
addEventListener("hashchange", unfold);
unfold();
for (const link of document.querySelectorAll("nav a")) {
  // Where the address does not change, nothing else tells of the click.
  link.addEventListener("click", () => setTimeout(unfold));
}

const contents = document.querySelector("nav > details");
contents.open = matchMedia("(min-width: 70rem)").matches;
const folds = document.createElement("div");
folds.className = "folds";
for (const [words, open] of [["Unfold all", true], ["Fold all", false]]) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words;
  button.addEventListener("click", () => {
    for (const section of sections) section.open = open;
  });
  folds.append(button);
}
contents.append(folds);

let folded = [];
addEventListener("beforeprint", () => {
  folded = sections.filter((section) => !section.open);
  for (const section of folded) section.open = true;
});
addEventListener("afterprint", () => {
  for (const section of folded) section.open = false;
});
