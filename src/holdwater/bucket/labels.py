"""Labels as people type them: case, spaces, hyphens and underscores do not matter."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from holdwater.errors import KindError

_MARKS = str.maketrans("", "", "-_\u2010\u2011")  # the last two are the hyphens that a text processor puts in


def label_of(cell: object, known: Iterable[str], where: str) -> str:
    """The known label that was meant; KindError names the closest one. `where` begins the message: "LEVERS: lever"."""
    labels = {_bare(label): label for label in known}
    if not isinstance(cell, str) or not _bare(cell):
        raise KindError(f"{where} is {cell!r}; give one of {', '.join(labels.values())}.")
    label = labels.get(_bare(cell))
    if label is None:
        closest = labels[get_close_matches(_bare(cell), labels, n=1, cutoff=0)[0]]
        raise KindError(f"{where} is {cell.strip()[:40]!r}, which does not exist here; the closest is {closest}.")
    return label


def _bare(text: str) -> str:
    return "".join(text.casefold().split()).translate(_MARKS)
