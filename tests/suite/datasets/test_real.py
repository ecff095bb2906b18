"""The real datasets: what their files hold, and what is known of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from suite.datasets import Dataset, load_dataset
from suite.datasets.catalogue.entries import CATALOGUE
from suite.datasets.catalogue.fingerprints import PUBLISHED
from suite.datasets.statistics import DatasetCounts, statistics
from suite.tasks.entities import EntityCounts
from suite.tasks.examples import Document, Sentence
from suite.tasks.triples import TripleCounts

FOLDERS = {
    "nyt10": ((7345, None, 4006), (False, None, True)),
    "nyt11": ((12496, 313, 369), (False, True, True)),
    "nyt24": ((7257, 500, 5000), (False, False, True)),
    "webnlg": ((5019, 500, 703), (True, True, True)),
    "webnlg-star": ((5019, 500, 703), (True, True, True)),
    "conll04": ((922, 231, 288), (True, True, True)),
    "redocred": ((992, 500, 500), (False, True, True)),
    "conll03": ((14041, 3250, 3453), (True, True, True)),
    "genia": ((15023, 1669, 1854), (False, False, False)),
}
"""Folder -> (examples of train, dev and test; whether each is the published split)."""


@cache
def loaded(folder: Path, name: str) -> Dataset:
    return load_dataset(name, folder)


@cache
def counted(folder: Path, name: str) -> DatasetCounts:
    return statistics(loaded(folder, name), 100)


@pytest.mark.parametrize("name", FOLDERS)
def test_counts_and_provenance(shared_data: Path, name: str) -> None:
    dataset = loaded(shared_data, name)
    sizes, published = FOLDERS[name]
    train, dev, test = (len(split.examples) for split in dataset.splits)
    if sizes[1] is None:
        assert train + dev == sizes[0]
        assert 0.08 < dev / sizes[0] < 0.12
    else:
        assert (train, dev) == sizes[:2]
    assert test == sizes[2]
    assert tuple(split.published for split in dataset.splits) == published
    assert any("no figure here reproduces" in n for n in dataset.notes) is (False in published)


@pytest.mark.parametrize("name", FOLDERS)
def test_complete_splits_have_the_fingerprint_of_the_published_file(
    shared_data: Path, name: str
) -> None:
    dataset = loaded(shared_data, name)
    for split in dataset.splits:
        if split.published:
            assert split.fingerprint == PUBLISHED[name][split.name], split.name  # type: ignore[index]


@pytest.mark.parametrize("name", FOLDERS)
def test_every_head_and_tail_is_an_entity(shared_data: Path, name: str) -> None:
    for split in loaded(shared_data, name).splits:
        assert len({example.id for example in split.examples}) == len(split.examples)
        for example in split.examples:
            if isinstance(example, Sentence):
                spans = {entity.span for entity in example.entities}
                assert {s for t in example.triples for s in (t.head, t.tail)} <= spans, example.id


@pytest.mark.parametrize(
    ("name", "kind", "counts"),
    [
        ("nyt10", "not_found", (0, 0, 0)),
        ("nyt11", "not_found", (90, 0, 0)),
        ("nyt11", "duplicates", (978, 0, 0)),
        ("nyt24", "not_found", (41, 6, 44)),
        ("webnlg", "duplicates", (1, 1, 0)),
        ("webnlg", "unknown_relation", (0, 5, 5)),
        ("webnlg-star", "duplicates", (89, 5, 10)),
        ("conll04", "leaked", (0, 12, 18)),
        ("redocred", "unknown_relation", (0, 0, 1)),
    ],
)
def test_problems(shared_data: Path, name: str, kind: str, counts: tuple[int, ...]) -> None:
    splits = loaded(shared_data, name).splits
    assert tuple(getattr(split.problems, kind) for split in splits) == counts


@pytest.mark.parametrize(
    ("name", "relations", "types"),
    [
        ("nyt10", 29, 4),
        ("nyt11", 12, 3),
        ("nyt24", 24, 4),
        ("webnlg", 211, 1),
        ("webnlg-star", 170, 1),
        ("conll04", 5, 4),
        ("conll04-ner", 0, 4),
        ("redocred", 96, 6),
        ("conll03", 0, 4),
        ("genia", 0, 5),
    ],
)
def test_schemas(shared_data: Path, name: str, relations: int, types: int) -> None:
    schema = loaded(shared_data, name).schema
    assert (len(schema.relations), len(schema.entity_types)) == (relations, types)
    assert schema.entity_types == CATALOGUE[name].entity_types


@pytest.mark.parametrize("name", ["nyt10", "nyt11", "nyt24"])
def test_type_maps_are_those_of_the_public_code(shared_data: Path, name: str) -> None:
    raw = json.loads((shared_data / name / "type_relation.json").read_text())
    types = CATALOGUE[name].types
    assert types == {r: (t["subject"], t["object"]) for r, t in raw.items()}


def test_sources_are_those_of_the_record(shared_data: Path) -> None:
    for name, raw in json.loads((shared_data / "sources.json").read_text()).items():
        source = CATALOGUE[name].source
        assert source is not None, name
        assert (source.repository, source.commit) == (raw["repository"], raw["commit"])
        listed = {split: f for split, f in raw["files"].items() if split != "relations"}
        assert set(source.files) == set(listed)
        for split, file in source.files.items():
            expected = listed[split]
            assert (file.path, file.blob) == (expected["path"], expected["git_blob"])
            assert file.bytes == expected["bytes"]


def test_documents(shared_data: Path) -> None:
    dataset = loaded(shared_data, "redocred")
    facts = [e.facts for e in dataset.dev.examples if isinstance(e, Document)]
    assert sum(map(len, facts)) == 17284
    assert round(17284 / 500, 1) == 34.6, "the mean of the repository's README"
    raw = json.loads((shared_data / "redocred" / "train_annotated.fact").read_text())
    assert dataset.facts_in_train == {(head, relation, tail) for head, tail, relation in raw}


def test_entities_of_conll03(shared_data: Path) -> None:
    """Tjong Kim Sang and De Meulder (2003), Table 2."""
    published = {
        "train": {"LOC": 7140, "MISC": 3438, "ORG": 6321, "PER": 6600},
        "dev": {"LOC": 1837, "MISC": 922, "ORG": 1341, "PER": 1842},
        "test": {"LOC": 1668, "MISC": 702, "ORG": 1661, "PER": 1617},
    }
    for split, counts in dict(counted(shared_data, "conll03")).items():
        assert isinstance(counts, EntityCounts)
        assert counts.entities_by_type == published[split]


@pytest.mark.parametrize(
    ("name", "triples", "with_repeats", "epo", "epo_with_repeats"),
    [("nyt24", 8120, 8616, 969, 1168), ("webnlg-star", 1581, 1591, 18, 26)],
)
def test_published_counts_are_those_with_repeated_triples(
    shared_data: Path, name: str, triples: int, with_repeats: int, epo: int, epo_with_repeats: int
) -> None:
    """WebNLG* by class: Wei et al. (ACL 2020, CasRel), Table 1: normal 246, EPO 26, SEO 457."""
    test = counted(shared_data, name).test
    assert isinstance(test, TripleCounts)
    assert (test.triples, test.triples_with_repeats) == (triples, with_repeats)
    assert (test.overlap["EPO"], test.overlap_with_repeats["EPO"]) == (epo, epo_with_repeats)
    if name == "webnlg-star":
        assert test.overlap_with_repeats == {"normal": 246, "EPO": 26, "SEO": 457}
