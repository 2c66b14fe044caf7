"""The parts of a workbook file, how they point at each other, and what has been changed in them."""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from functools import lru_cache
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote

from holdwater.errors import WorkbookError
from holdwater.workbook.archive import Archive
from holdwater.workbook.markup import Edits, Element, elements, needed
from holdwater.workbook.spool import Packed, Spool

_TYPES = "[Content_Types].xml"


class Relationship(NamedTuple):
    id: str
    kind: str  # the last word of its type, the same in the transitional and the strict standard
    target: str  # a part's name


class Parts:
    """Part names are as the container writes them, without a leading slash."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._by_folded = {name.casefold(): name for name in archive.names()}
        self._spool = Spool()
        self._changed: dict[str, Packed] = {}
        self._dropped: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return (name in self._archive or name in self._changed) and name not in self._dropped

    def chunks(self, name: str) -> Iterator[bytes]:
        """The part as it is now; `WorkbookError` if the workbook points at a part that it does not have."""
        if name not in self:
            raise WorkbookError(f"The workbook has no part {name}; let Excel repair the workbook and save it.")
        return self._spool.chunks(self._changed[name]) if name in self._changed else self._archive.chunks(name)

    def read(self, name: str) -> bytes:
        """The whole part at once: for all but worksheets."""
        return b"".join(self.chunks(name))

    def update(self, changes: Mapping[str, bytes]) -> None:
        for name, content in changes.items():
            self.stream(name, [content])

    def stream(self, name: str, chunks: Iterable[bytes]) -> bool:
        """Take a new content as it is made; whether it differs from the content before.

        A part that is again as the file has it counts as untouched.
        """
        new = self._spool.put(chunks)
        if self._is(new, name):
            return False
        if name in self._archive and self._same_as_file(new, name):
            del self._changed[name]
        else:
            self._changed[name] = new
        return True

    def add(self, name: str, content: bytes) -> None:
        """A part that the file does not have."""
        if name.casefold() in self._by_folded:
            raise AssertionError(f"{name} is there already")
        self._by_folded[name.casefold()] = name
        self._changed[name] = self._spool.put([content])

    def copy(self) -> Parts:
        twin = copy(self)
        twin._changed = dict(self._changed)
        twin._dropped = set(self._dropped)
        twin._by_folded = dict(self._by_folded)
        return twin

    @property
    def changed(self) -> frozenset[str]:
        return frozenset(self._changed)

    def write(self, out: BinaryIO) -> None:
        """The whole file; the very bytes it has if nothing is changed."""
        if not self._changed and not self._dropped:
            self._archive.copy(out)
            return
        contents = {name: (packed, self._spool.raw(packed)) for name, packed in self._changed.items()}
        self._archive.write(out, contents, self._dropped)

    def _is(self, new: Packed, name: str) -> bool:
        """Whether the content is what the part holds now."""
        old = self._changed.get(name)
        if old is None:
            return name in self._archive and self._same_as_file(new, name)
        return (old.size, old.crc) == (new.size, new.crc) and _same(self._spool.chunks(old), self._spool.chunks(new))

    def _same_as_file(self, new: Packed, name: str) -> bool:
        return self._archive.size_and_crc(name) == (new.size, new.crc) and _same(
            self._archive.chunks(name), self._spool.chunks(new)
        )

    def relationships(self, source: str) -> list[Relationship]:
        """What a part points at inside the workbook ("" is the workbook file itself)."""
        name = relationships_part(source)
        if name not in self:
            return []
        return [
            Relationship(
                id=needed(element, "Id", name),
                kind=needed(element, "Type", name).rpartition("/")[2],
                target=self._target(source, needed(element, "Target", name)),
            )
            for element in _relationship_elements(self.read(name), name)
            if element.attributes.get("TargetMode") != "External"
        ]

    def of_type(self, *endings: str) -> list[str]:
        """The parts whose content type ends so, by name."""
        return sorted(name for name, kind in self._types().items() if name in self and kind.endswith(endings))

    def drop(self, name: str, source: str) -> None:
        """Leave a part out, with the relationship from `source` and the content type that name it."""
        relationships = relationships_part(source)
        for part, tag, attribute in ((relationships, "Relationship", "Target"), (_TYPES, "Override", "PartName")):
            data = self.read(part)
            edits = Edits()
            for element in elements(data, part, {tag}):
                base = source if tag == "Relationship" else ""
                if self._target(base, needed(element, attribute, part)) == name:
                    edits.replace(element.start, element.end, b"")
            self.update({part: edits.applied(data)})
        self._changed.pop(name, None)
        self._dropped.add(name)

    def free_name(self, pattern: str) -> str:
        """The first name, such as xl/tables/table7.xml for xl/tables/table{}.xml, that no part has."""
        numbers = itertools.count(1)
        return next(name for name in map(pattern.format, numbers) if name.casefold() not in self._by_folded)

    def _types(self) -> dict[str, str]:
        return {
            self._target("", needed(element, "PartName", _TYPES)): needed(element, "ContentType", _TYPES)
            for element in elements(self.read(_TYPES), _TYPES, {"Override"})
        }

    def _target(self, source: str, target: str) -> str:
        name = posixpath.normpath(posixpath.join("/", posixpath.dirname(source), target)).lstrip("/")
        for spelling in (name, unquote(name)):
            if spelling.casefold() in self._by_folded:  # part names do not mind case
                return self._by_folded[spelling.casefold()]
        return name


@lru_cache(maxsize=256)  # asked for again and again, and seldom changed
def _relationship_elements(data: bytes, name: str) -> tuple[Element, ...]:
    return tuple(elements(data, name, {"Relationship"}))


def relationships_part(source: str) -> str:
    folder, name = posixpath.split(source)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _same(one: Iterable[bytes], other: Iterable[bytes]) -> bool:
    """Whether two streams hold the same bytes, however they are cut."""
    theirs = iter(other)
    buffer = b""
    for chunk in one:
        while len(buffer) < len(chunk):
            more = next(theirs, None)
            if more is None:
                return False
            buffer += more
        if not buffer.startswith(chunk):
            return False
        buffer = buffer[len(chunk) :]
    return not buffer and next(theirs, None) is None
