"""Progress of a sync: a bar through rich where it is installed and a person is watching, else nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def shown_progress() -> Iterator[Callable[[str, int, int | None], object] | None]:
    """The callback for `sync`; None where nobody watches, so that output stays plain."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
    except ImportError:
        yield None
        return
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(stream: str, done: int, expected: int | None) -> None:
            if stream not in tasks:
                tasks[stream] = bars.add_task(stream, total=expected)
            bars.update(tasks[stream], completed=done, total=expected)

        yield show
