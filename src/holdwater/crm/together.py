"""Reading several lists at once: while one page is being kept, the next ones are on their way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")

_AHEAD = 2  # items each list may be ahead of who takes them, so that memory stays bounded


def together(lists: Sequence[Iterator[Item]]) -> Iterator[Item]:
    """The items of all lists as they come, each list in its own order and read by its own thread.

    What goes wrong in one ends all, and is raised here. Whoever stops taking stops the reading.
    """
    arrived: Queue[tuple[Item | None, BaseException | None]] = Queue(maxsize=_AHEAD * len(lists))
    stopped = Event()

    def put(item: Item | None, problem: BaseException | None = None) -> None:
        while not stopped.is_set():
            try:
                arrived.put((item, problem), timeout=0.1)
            except Full:
                continue
            return

    def read(items: Iterator[Item]) -> None:
        try:
            for item in items:
                put(item)
                if stopped.is_set():
                    return
        except BaseException as problem:
            put(None, problem)
        else:
            put(None)

    readers = [Thread(target=read, args=(items,), daemon=True) for items in lists]
    for reader in readers:
        reader.start()
    reading = len(readers)
    try:
        while reading:
            item, problem = arrived.get()
            if problem is not None:
                raise problem
            if item is None:
                reading -= 1
            else:
                yield item
    finally:
        stopped.set()
        for reader in readers:
            reader.join()
