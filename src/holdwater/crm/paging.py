"""Following a cursor to its end, whatever the vendor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from holdwater.errors import BadAnswerError

Answer = TypeVar("Answer")


def follow(
    fetch: Callable[[str | None], Answer], cursor_after: Callable[[Answer], str | None], what: str
) -> Iterator[Answer]:
    """Every answer of a cursor-paged list; `what` names the list in the error.

    Only a missing cursor ends the list: a short or empty page may well have a next one.
    A cursor that comes a second time would go round for ever: BadAnswerError.
    """
    seen: set[str] = set()
    cursor: str | None = None
    while True:
        answer = fetch(cursor)
        yield answer
        cursor = cursor_after(answer)
        if cursor is None:
            return
        if cursor in seen:
            raise BadAnswerError(f"{what} goes round in circles: a page's cursor came twice; run the sync again later.")
        seen.add(cursor)
