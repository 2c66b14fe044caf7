"""The defined names of a workbook part: read, added, replaced and taken out where they stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from holdwater.errors import WorkbookError
from holdwater.workbook.markup import SPREADSHEET, Edits, Element, elements, needed, set_attribute, set_text, tag_prefix

# The children of <workbook> that stand before <definedNames>, and of which <sheets> is always there.
_BEFORE = frozenset({"sheets", "functionGroups", "externalReferences"})
_BUILT_IN = "_xlnm."


@dataclass(frozen=True, slots=True)
class DefinedName:
    """A name, what it stands for (without an equals sign), and the one sheet that knows it (None: all of them)."""

    name: str
    text: str
    comment: str = ""
    sheet: str | None = None


def read_names(data: bytes, part: str) -> list[DefinedName]:
    """All names in their order."""
    sheets: list[str] = []
    names: list[DefinedName] = []
    for element in elements(data, part, {"sheet", "definedName"}):  # sheets stand before names
        if element.namespace not in SPREADSHEET:
            continue
        name = needed(element, "name", part)
        if element.name == "sheet":
            sheets.append(name)
            continue
        local = element.attributes.get("localSheetId")
        if local is not None and not (local.isdecimal() and int(local) < len(sheets)):
            raise WorkbookError(f"{part} has a name for a sheet {local} that is not there; save it anew in Excel.")
        sheet = None if local is None else sheets[int(local)]
        names.append(DefinedName(name, element.text, element.attributes.get("comment", ""), sheet))
    return names


def with_names(data: bytes, part: str, put: Iterable[DefinedName], drop: Collection[str] = ()) -> bytes:
    """The part with names of the whole workbook put in, or given a new text and comment, and others taken out."""
    found = [element for element in elements(data, part) if element.namespace in SPREADSHEET]
    root = found[0]
    holder = next((e for e in found if e.name == "definedNames" and e.parent is root), None)
    standing = [e for e in found if e.name == "definedName" and e.parent is holder]
    ours = {_folded(e): e for e in standing if "localSheetId" not in e.attributes}
    edits = Edits()
    new: list[DefinedName] = []
    for name in put:
        element = ours.get(name.name.casefold())
        if element is None:
            new.append(name)
        else:
            set_text(edits, data, element, name.text)
            set_attribute(edits, data, element, "comment", name.comment or None)
    gone = [ours[name.casefold()] for name in drop if name.casefold() in ours]
    if holder is not None and gone and len(gone) == len(standing) and not new:
        edits.replace(holder.start, holder.end, b"")  # it may not be empty
        return edits.applied(data)
    for element in gone:
        edits.replace(element.start, element.end, b"")
    if new:
        _insert(edits, data, new, root, holder, standing, found)
    return edits.applied(data)


def _insert(
    edits: Edits,
    data: bytes,
    new: list[DefinedName],
    root: Element,
    holder: Element | None,
    standing: list[Element],
    found: list[Element],
) -> None:
    """Each new name goes before the first one that sorts behind it, since programs write names sorted."""
    prefix = tag_prefix(data, root.start)
    new.sort(key=lambda name: _sorted_as(name.name))
    if standing:
        for name in new:
            behind = (e.start for e in standing if _sorted_as(e.attributes["name"]) > _sorted_as(name.name))
            edits.insert(next(behind, standing[-1].end), _written(name, prefix))
        return
    tag = f"{prefix}definedNames".encode()
    content = b"<%b>%b</%b>" % (tag, b"".join(_written(name, prefix) for name in new), tag)
    if holder is not None:  # empty, which the standard does not know
        edits.replace(holder.start, holder.end, content)
        return
    before = [element for element in found if element.name in _BEFORE and element.parent is root]
    if not before:
        raise WorkbookError("The workbook has no list of sheets; let Excel repair the workbook and save it.")
    edits.insert(before[-1].end, content)


def _written(name: DefinedName, prefix: str) -> bytes:
    comment = f' comment="{escape(name.comment, {chr(34): "&quot;"})}"' if name.comment else ""
    tag = f"{prefix}definedName"
    text = f'<{tag} name="{escape(name.name)}"{comment}>{escape(name.text)}</{tag}>'
    return text.encode("ascii", "xmlcharrefreplace")  # fits a part that declares US-ASCII, too


def _folded(element: Element) -> str:
    return element.attributes.get("name", "").casefold()


def _sorted_as(name: str) -> str:
    return name.removeprefix(_BUILT_IN).casefold()
