"""Which record of a file is about which test example."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from suite.outside.answers import Answer
from suite.tasks.examples import Example


@dataclass(frozen=True)
class Fitted:
    """Test examples with the records that are about them.

    Attributes:
        answers: of each example, in their order; None: there is no record.
        doubled: records of an example that has one already, an earlier one.
        unknown: records of no test example.
    """

    answers: tuple[Answer | None, ...]
    doubled: tuple[Answer, ...]
    unknown: tuple[Answer, ...]

    @property
    def any(self) -> bool:
        """Whether any record is about a test example."""
        return any(answer is not None for answer in self.answers)


def fit(answers: Sequence[Answer], examples: Sequence[Example]) -> Fitted:
    """Finds the example of each record: by its text, or by its id where it has no text.

    Texts are compared without white space. Of examples with one text, a record takes the one of its
    id, else the first that no earlier record has taken.

    Args:
        answers: of a file.
        examples: of the test set.
    """
    by_letters: defaultdict[str, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        by_letters["".join("".join(example.words).split())].append(index)
    by_id = {example.id: index for index, example in enumerate(examples)}
    taken: dict[int, Answer] = {}
    doubled: list[Answer] = []
    unknown: list[Answer] = []
    for answer in answers:
        own = by_id.get(answer.id) if answer.id is not None else None
        letters = answer.letters
        if letters is None:
            places = [] if own is None else [own]
        else:
            places = by_letters.get(letters, [])
            places = [own] if own in places and own is not None else places
        free = next((index for index in places if index not in taken), None)
        if free is not None:
            taken[free] = answer
        else:
            (doubled if places else unknown).append(answer)
    fitted = tuple(taken.get(index) for index in range(len(examples)))
    return Fitted(fitted, tuple(doubled), tuple(unknown))
