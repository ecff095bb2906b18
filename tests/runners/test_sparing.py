"""What is done now and then takes no more of the time than it may."""

from __future__ import annotations

import pytest

from runners import sparing
from runners.sparing import LEAST_PAUSE, SHARE, Sparing


@pytest.mark.parametrize("takes", [0.5, 10.0])
def test_a_share_of_the_time(monkeypatch: pytest.MonkeyPatch, takes: float) -> None:
    now, spent = 0.0, []

    def act() -> None:
        nonlocal now
        spent.append(takes)
        now += takes

    monkeypatch.setattr(sparing.time, "monotonic", lambda: now)
    asked = Sparing()
    asked(act)
    assert spent == [takes], "the first time is at once"
    while now < 10_000:
        asked(act)
        now += 1.0
    assert sum(spent) <= SHARE * now + takes
    assert len(spent) <= now / LEAST_PAUSE + 1
    assert len(spent) >= 10_000 / (takes + max(LEAST_PAUSE, takes / SHARE) + 2)


def test_what_failed_is_done_again_at_once() -> None:
    asked, done = Sparing(), []
    with pytest.raises(ZeroDivisionError):
        asked(lambda: 1 // 0)  # type: ignore[arg-type, return-value]
    asked(lambda: done.append(1))
    assert done
