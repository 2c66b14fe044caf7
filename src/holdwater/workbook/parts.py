"""The parts of a workbook file, how they point at each other, and what has been changed in them."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from holdwater.errors import WorkbookError
from holdwater.workbook.archive import Archive
from holdwater.workbook.markup import Edits, elements, needed

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
        self._changed: dict[str, bytes] = {}
        self._dropped: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._archive and name not in self._dropped

    def read(self, name: str) -> bytes:
        """The part as it is now; `WorkbookError` if the workbook points at a part that it does not have."""
        if name not in self:
            raise WorkbookError(f"The workbook has no part {name}; let Excel repair the workbook and save it.")
        return self._changed[name] if name in self._changed else self._archive.read(name)

    def original(self, name: str) -> bytes:
        return self._archive.read(name)

    def update(self, changes: Mapping[str, bytes]) -> None:
        """Take new contents; a part that is again as the file has it counts as untouched."""
        for name, content in changes.items():
            if content == self._archive.read(name):
                self._changed.pop(name, None)
            else:
                self._changed[name] = content

    def copy(self) -> Parts:
        twin = Parts(self._archive)
        twin._changed = dict(self._changed)
        twin._dropped = set(self._dropped)
        return twin

    @property
    def changed(self) -> frozenset[str]:
        return frozenset(self._changed)

    def rewritten(self) -> bytes:
        """The whole file."""
        return self._archive.rewritten(self._changed, self._dropped)

    def relationships(self, source: str) -> list[Relationship]:
        """What a part points at inside the workbook ("" is the workbook file itself)."""
        name = _relationships_part(source)
        if name not in self:
            return []
        return [
            Relationship(
                id=needed(element, "Id", name),
                kind=needed(element, "Type", name).rpartition("/")[2],
                target=self._target(source, needed(element, "Target", name)),
            )
            for element in elements(self.read(name), name, {"Relationship"})
            if element.attributes.get("TargetMode") != "External"
        ]

    def of_type(self, *endings: str) -> list[str]:
        """The parts whose content type ends so, by name."""
        return sorted(name for name, kind in self._types().items() if name in self and kind.endswith(endings))

    def drop(self, name: str, source: str) -> None:
        """Leave a part out, with the relationship from `source` and the content type that name it."""
        relationships = _relationships_part(source)
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


def _relationships_part(source: str) -> str:
    folder, name = posixpath.split(source)
    return posixpath.join(folder, "_rels", f"{name}.rels")
