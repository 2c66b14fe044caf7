"""Requests are held back just as long as a rate limit needs."""

from __future__ import annotations

import pytest

from holdwater.crm.pacing import Pacing


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def test_the_first_requests_pass_and_the_next_waits_for_the_oldest_to_leave_the_window() -> None:
    clock = Clock()
    pacing = Pacing(3, 10.0, clock=clock, sleep=clock.sleep)
    waits = []
    for pause in (0.0, 1.0, 1.0, 1.0, 0.0, 30.0):
        clock.now += pause
        waits.append(pacing.wait())
    # Sent at 0, 1, 2; the fourth comes at 3 and waits until 10, the fifth until 11, the sixth comes much later.
    assert waits == pytest.approx([0, 0, 0, 7, 1, 0])


def test_no_window_ever_holds_more_than_its_requests() -> None:
    clock = Clock()
    pacing = Pacing(5, 1.0, clock=clock, sleep=clock.sleep)
    sent = []
    for step in range(200):
        clock.now += (step * 37 % 11) / 20
        pacing.wait()
        sent.append(clock.now)
    assert all(later - earlier >= 1.0 - 1e-9 for earlier, later in zip(sent, sent[5:], strict=False))
    assert sent[-1] - sent[0] < 60  # and it does not simply crawl
