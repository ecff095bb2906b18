"""Small inputs that people have shared: what each gives now."""

from __future__ import annotations

from pathlib import Path

import pytest

from suite.datasets import load_dataset
from suite.errors import SuiteError
from suite.tasks.registry import find_task

READ = {
    "bioes": ("ner", (138, 28, 33)),
    "bmes": ("ner", (138, 28, 33)),
    "columns_germeval": ("ner", (138, 28, 33)),
    "columns_index_first": ("ner", (138, 28, 33)),
    "columns_tab_multiword": ("ner", (138, 28, 33)),
    "devel_is_ignored": ("ner", (138, 28, 33)),
    "docred_hf_labels": ("docre", (121, 31, 34)),
    "docred_labels_null": ("docre", (121, 31, 0)),
    "duie1_postag": ("triples", (78, 16, 18)),
    "duie2": ("triples", (78, 16, 18)),
    "extra_field_id": ("triples", (78, 16, 18)),
    "fullwidth_space_token": ("ner", (138, 28, 33)),
    "json_pretty_records": ("triples", (78, 16, 18)),
    "multiconer_comments": ("ner", (138, 28, 33)),
    "na_as_relation": ("triples", (78, 16, 18)),
    "na_as_relation_docre": ("docre", (121, 31, 34)),
    "opennre_txt": ("triples", (77, 16, 18)),
    "pure_dygie": ("triples", (78, 16, 18)),
    "self_fact_docre": ("docre", (151, 39, 42)),
    "spert_conll04_as_fetched": ("triples", (78, 16, 18)),
    "spert_train_dev_only": ("triples", (73, 5, 18)),
    "spert_with_pos": ("triples", (78, 16, 18)),
    "train_dev_is_taken_for_dev": ("ner", (138, 28, 33)),
    "utf16": ("triples", (78, 16, 18)),
    "w2ner": ("ner", (138, 28, 33)),
}
"""Case -> its task, and the gold items of train, dev and test. `opennre_txt` repeats a sentence."""
REFUSED = {
    "chinese_like_without_blanks": "no triple has its words in its text",
    "columns_no_blank_lines": "it has no blank line",
    "columns_prediction_last": "either may be gold",
    "hf_datasets_ner": "its ner_tags are numbers",
    "no_entity_at_all": "holds no entities",
    "no_triple_at_all": "holds no triples",
    "pointer_ends_exclusive": "names other words than train.tup on 60 of 60 lines",
    "punctuation_attached": "no triple has its words in its text",
    "rel_info_lacks_relations_docre": "3 relations that rel_info.json does not name",
    "rel_info_lacks_relations_triples": "2 relations that rel_info.json does not name",
    "spert_train_without_relations": "has relations, as in dev-1, and train (train.json) has none",
}
NOTED = {
    "na_as_relation": "114 entries of train.json named no_relation",
    "self_fact_docre": "30 facts of train_annotated.json are of an entity with itself",
    "spert_train_dev_only": "not read: conll04_train_dev.json",
    "train_dev_is_taken_for_dev": "not read: train_dev.txt",
    "duie1_postag": "fields that are not read: postag (87 records)",
    "utf16": "train.json is read as UTF-16",
}
ELSEWHERE = {"journal_cut_off", "same_folder_name"}
"""Held by tests of the search and of the command line."""


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> Path:
    folder = shared_data.parent / "cases"
    if not folder.is_dir():
        pytest.skip(f"the cases are not here ({folder})")
    return folder


def test_no_case_is_forgotten(cases: Path) -> None:
    there = {path.name for path in cases.iterdir() if path.is_dir()}
    assert there == READ.keys() | REFUSED.keys() | ELSEWHERE


@pytest.mark.parametrize("name", READ)
def test_it_is_read(cases: Path, name: str) -> None:
    dataset = load_dataset(str(cases / name))
    task = find_task(dataset.task)
    gold = tuple(sum(len(task.gold(e)) for e in split.examples) for split in dataset.splits)
    assert (dataset.task, gold) == READ[name]
    if name in NOTED:
        assert any(NOTED[name] in note for note in dataset.notes), dataset.notes


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_what_helps(cases: Path, name: str) -> None:
    with pytest.raises(SuiteError) as caught:
        load_dataset(str(cases / name))
    assert REFUSED[name] in caught.value.cause
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("name", "rule", "gold"),
    [("chinese_like_without_blanks", "characters", 78), ("punctuation_attached", "spacy:en", 78)],
)
def test_words_are_found_as_the_refusal_says(cases: Path, name: str, rule: str, gold: int) -> None:
    train = load_dataset(str(cases / name), words=rule).train
    assert sum(len(e.triples) for e in train.examples if hasattr(e, "triples")) == gold
