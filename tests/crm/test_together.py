from __future__ import annotations

import threading
from collections.abc import Iterator
from threading import Barrier

import pytest

from holdwater.crm.together import together


def numbers(name: str, count: int) -> Iterator[tuple[str, int]]:
    for number in range(count):
        yield name, number


def test_every_item_comes_once_and_each_list_in_its_order() -> None:
    taken = list(together([numbers("a", 500), numbers("b", 3), numbers("c", 0)]))
    assert [number for name, number in taken if name == "a"] == list(range(500))
    assert [number for name, number in taken if name == "b"] == list(range(3))
    assert len(taken) == 503


def test_lists_are_read_at_the_same_time() -> None:
    meeting = Barrier(2, timeout=10)

    def waits() -> Iterator[str]:
        meeting.wait()  # nobody passes alone
        yield "here"

    assert list(together([waits(), waits()])) == ["here", "here"]


def test_what_goes_wrong_in_one_is_raised_and_ends_all() -> None:
    def breaks() -> Iterator[tuple[str, int]]:
        yield "b", 0
        raise ValueError("broken")

    before = threading.active_count()
    with pytest.raises(ValueError, match="broken"):
        list(together([numbers("a", 10**9), breaks()]))
    assert threading.active_count() == before


def test_a_list_is_not_read_far_ahead_and_stops_with_its_taker() -> None:
    made = 0

    def endless() -> Iterator[int]:
        nonlocal made
        while True:
            made += 1
            yield made

    taken = together([endless()])
    assert next(taken) == 1
    taken.close()  # type: ignore[attr-defined] # it is a generator
    assert made < 10
