"""W2NER's JSON: words, and entities as the indices of their words."""

from __future__ import annotations

from suite.datasets.align import Record, checked_span, placed
from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.tasks.examples import Entity, Example


class _Entity(RecordModel):
    index: list[int]
    type: str


class _Sentence(RecordModel):
    sentence: list[str]
    ner: list[_Entity]


def read(file: TextFile, split: str, reading: Reading) -> list[Example]:
    """Reads `[{"sentence", "ner": [{"index", "type"}]}]`; see `formats.Reader`.

    An entity whose words do not follow each other cannot be told by a span: it is left out, and
    a note counts them.
    """
    examples: list[Example] = []
    torn = 0
    for number, raw in enumerate(read_json_records(file, _Sentence, reading.problems), 1):
        record = Record(f"{split}-{number}", file.path, f"record {number}")
        entities = []
        for i, entity in enumerate(raw.ner):
            words = sorted(entity.index)
            if words != list(range(words[0], words[0] + len(words))) if words else True:
                torn += 1
                continue
            span = checked_span(words[0], words[-1] + 1, len(raw.sentence), f"ner.{i}", record)
            entities.append(Entity(span, entity.type))
        examples.append(placed(tuple(raw.sentence), entities, (), record, reading))
    if torn:
        reading.problems.notes.append(
            f"{torn:,} entities of {file.path.name} are not of neighbouring words and are left out"
        )
    return examples
