"""New sheets at the end of a workbook, each with one table; of what was there only lists of parts grow longer."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from holdwater.errors import WorkbookError
from holdwater.workbook.cells import escape_controls
from holdwater.workbook.markup import (
    SPREADSHEET,
    Edits,
    Element,
    elements,
    needed,
    set_attribute,
    tag_name,
    tag_prefix,
)
from holdwater.workbook.parts import Parts, relationships_part
from holdwater.workbook.references import Area, cell_name, column_letters

_TYPES = "[Content_Types].xml"
_SHEET_NAME_LIMIT = 31
_FIRST_CUSTOM_FORMAT = 164  # number formats below are built in
_STRICT = "http://purl.oclc.org/ooxml"
_PACKAGE_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.{}+xml"
_BUILT_IN_FORMATS = {"General": 0, "0": 1, "0.00": 2, "#,##0": 3, "#,##0.00": 4, "0%": 9, "0.00%": 10, "@": 49}
_PREFIX_OF_ID = re.compile(rb"\s([\w.-]+):id\s*=")


@dataclass(frozen=True, slots=True)
class NewTable:
    """A table without rows: (header, number format, width in characters) for each column."""

    name: str
    sheet: str
    columns: Sequence[tuple[str, str, int]]


class Extension:
    """Adds sheets to the parts of a workbook."""

    def __init__(self, parts: Parts, workbook: str) -> None:
        self._parts = parts
        self._workbook = workbook
        found = [e for e in elements(parts.read(workbook), workbook) if e.namespace in SPREADSHEET]
        self._namespace = found[0].namespace
        protection = next((e for e in found if e.name == "workbookProtection"), None)
        if protection is not None and protection.attributes.get("lockStructure") in ("1", "true"):
            raise WorkbookError(
                "The structure of the workbook is protected, so no sheet can be added; in Excel choose Review, "
                "Protect Workbook to lift that, and run again."
            )
        if any(relation.kind == "revisionHeaders" for relation in parts.relationships(workbook)):
            raise WorkbookError(
                "The workbook is shared in the old way, which allows no tables; in Excel choose Review, Unshare "
                "Workbook, and run again."
            )
        strict = self._namespace.startswith(_STRICT)
        self._relations = (
            f"{_STRICT}/officeDocument/relationships"
            if strict
            else "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        )

    def add(self, table: NewTable) -> None:
        """One sheet more, with the table's header and a blank row."""
        sheet_part = self._new_part("xl/worksheets/sheet{}.xml")
        table_part = self._new_part("xl/tables/table{}.xml")
        styles = self._styles([number_format for _, number_format, _ in table.columns])
        ref = Area(1, 1, 2, len(table.columns))
        self._parts.add(sheet_part, self._sheet_xml(table, styles, ref).encode())
        self._parts.add(table_part, self._table_xml(table, ref).encode())
        target = posixpath.relpath(table_part, posixpath.dirname(sheet_part))
        relation = f'<Relationship Id="rId1" Type="{self._relations}/table" Target="{target}"/>'
        document = f'{_DECLARATION}<Relationships xmlns="{_PACKAGE_RELATIONS}">{relation}</Relationships>'
        self._parts.add(relationships_part(sheet_part), document.encode())
        self._list_types({sheet_part: "worksheet", table_part: "table"})
        self._list_sheet(self._free_sheet_name(table.sheet), self._relate(sheet_part))

    def _new_part(self, pattern: str) -> str:
        return self._parts.free_name(pattern)

    def _sheet_xml(self, table: NewTable, styles: Sequence[int], ref: Area) -> str:
        widths = "".join(
            f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>'
            for n, (_, _, width) in enumerate(table.columns, 1)
        )
        header = "".join(
            f'<c r="{cell_name(1, n)}" t="inlineStr"><is><t>{_text(header)}</t></is></c>'
            for n, (header, _, _) in enumerate(table.columns, 1)
        )
        blank = "".join(f'<c r="{column_letters(n)}2" s="{style}"/>' for n, style in enumerate(styles, 1))
        return (
            f'{_DECLARATION}<worksheet xmlns="{self._namespace}" xmlns:r="{self._relations}">'
            f'<dimension ref="{ref}"/><sheetViews><sheetView workbookViewId="0">'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
            '<selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView></sheetViews>'
            f'<cols>{widths}</cols><sheetData><row r="1">{header}</row><row r="2">{blank}</row></sheetData>'
            '<tableParts count="1"><tablePart r:id="rId1"/></tableParts></worksheet>'
        )

    def _table_xml(self, table: NewTable, ref: Area) -> str:
        columns = "".join(
            f"<tableColumn id={quoteattr(str(n))} name={quoteattr(escape_controls(header))}/>"
            for n, (header, _, _) in enumerate(table.columns, 1)
        )
        return (
            f'{_DECLARATION}<table xmlns="{self._namespace}" id="{self._free_table_id()}" name="{table.name}" '
            f'displayName="{table.name}" ref="{ref}" totalsRowShown="0"><autoFilter ref="{ref}"/>'
            f'<tableColumns count="{len(table.columns)}">{columns}</tableColumns>'
            '<tableStyleInfo name="TableStyleLight1" showFirstColumn="0" showLastColumn="0" showRowStripes="1" '
            'showColumnStripes="0"/></table>'
        )

    def _free_table_id(self) -> int:
        used = [
            int(element.attributes.get("id", "0"))
            for part in self._parts.of_type("spreadsheetml.table+xml")
            for element in elements(self._parts.read(part), part, {"table"})[:1]
        ]
        return max(used, default=0) + 1

    def _free_sheet_name(self, wanted: str) -> str:
        data = self._parts.read(self._workbook)
        taken = {needed(e, "name", self._workbook).casefold() for e in elements(data, self._workbook, {"sheet"})}
        name, number = wanted, 1
        while name.casefold() in taken:
            number += 1
            ending = f" ({number})"
            name = wanted[: _SHEET_NAME_LIMIT - len(ending)] + ending
        return name

    def _list_types(self, kinds: Mapping[str, str]) -> None:
        data = self._parts.read(_TYPES)
        root = elements(data, _TYPES, {"Types"})[0]
        prefix = tag_prefix(data, root.start)
        overrides = "".join(
            f'<{prefix}Override PartName="/{part}" ContentType="{_CONTENT_TYPE.format(kind)}"/>'
            for part, kind in kinds.items()
        )
        self._parts.update({_TYPES: _with_last_child(data, root, overrides)})

    def _relate(self, sheet_part: str) -> str:
        """The relationship from the workbook to a new sheet; its identity."""
        part = relationships_part(self._workbook)
        data = self._parts.read(part)
        root, *known = elements(data, part, {"Relationships", "Relationship"})
        used = {element.attributes.get("Id") for element in known}
        identity = next(f"rId{n}" for n in range(len(used) + 1, 2 * len(used) + 3) if f"rId{n}" not in used)
        target = posixpath.relpath(sheet_part, posixpath.dirname(self._workbook) or ".")
        relation = (
            f'<{tag_prefix(data, root.start)}Relationship Id="{identity}" Type="{self._relations}/worksheet" '
            f'Target="{target}"/>'
        )
        self._parts.update({part: _with_last_child(data, root, relation)})
        return identity

    def _list_sheet(self, name: str, identity: str) -> None:
        data = self._parts.read(self._workbook)
        found = [e for e in elements(data, self._workbook, {"sheets", "sheet"}) if e.namespace in SPREADSHEET]
        holder = next(element for element in found if element.name == "sheets")
        listed = [element for element in found if element.name == "sheet"]
        number = max((int(needed(e, "sheetId", self._workbook)) for e in listed), default=0) + 1
        prefix = _PREFIX_OF_ID.search(data[listed[-1].start : listed[-1].open_end]) if listed else None
        if prefix is None:
            raise WorkbookError("The workbook has no list of sheets; let Excel repair the workbook and save it.")
        sheet = (
            f'<{tag_prefix(data, holder.start)}sheet name={quoteattr(name)} sheetId="{number}" '
            f'{prefix[1].decode()}:id="{identity}"/>'
        )
        self._parts.update({self._workbook: _with_last_child(data, holder, sheet)})

    def _styles(self, formats: Sequence[str]) -> list[int]:
        """A cell style for each number format, those that are missing put behind the others."""
        part = next((r.target for r in self._parts.relationships(self._workbook) if r.kind == "styles"), None)
        if part is None:  # a workbook without styles shows bare numbers
            return [0] * len(formats)
        data = self._parts.read(part)
        found = [element for element in elements(data, part) if element.namespace in SPREADSHEET]
        holder = next((e for e in found if e.name == "cellXfs"), None)
        if holder is None:
            return [0] * len(formats)
        edits = Edits()
        ids = self._format_ids(edits, data, found, formats)
        count = sum(1 for e in found if e.name == "xf" and e.parent is holder)
        order = list(dict.fromkeys(ids[text] for text in formats))
        prefix = tag_prefix(data, holder.start)
        new = "".join(
            f'<{prefix}xf numFmtId="{number}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
            for number in order
        )
        standing = [e.attributes for e in found if e.name == "xf" and e.parent is holder]
        plain = {"fontId": "0", "fillId": "0", "borderId": "0", "xfId": "0", "applyNumberFormat": "1"}
        here = [
            next((n for n, a in enumerate(standing) if a == {"numFmtId": str(number), **plain}), None)
            for number in order
        ]
        if all(position is not None for position in here):  # a table before this one brought them
            return [here[order.index(ids[text])] or 0 for text in formats]
        set_attribute(edits, data, holder, "count", str(count + len(order)))
        edits.insert(holder.close_start, new.encode())
        self._parts.update({part: edits.applied(data)})
        return [count + order.index(ids[text]) for text in formats]

    @staticmethod
    def _format_ids(edits: Edits, data: bytes, found: Sequence[Element], formats: Sequence[str]) -> dict[str, int]:
        """The identity of each number format; those that the workbook lacks are added."""
        holder = next((e for e in found if e.name == "numFmts"), None)
        custom = {
            e.attributes.get("formatCode", ""): int(e.attributes.get("numFmtId", "0"))
            for e in found
            if e.name == "numFmt" and e.parent is holder
        }
        ids = _BUILT_IN_FORMATS | custom
        missing = [text for text in dict.fromkeys(formats) if text not in ids]
        first = max([_FIRST_CUSTOM_FORMAT - 1, *custom.values()]) + 1
        prefix = tag_prefix(data, found[0].start)
        new = "".join(
            f'<{prefix}numFmt numFmtId="{number}" formatCode={quoteattr(text)}/>'
            for number, text in enumerate(missing, first)
        ).encode()
        if missing and holder is None:  # the first child of a style sheet
            tag = f"{prefix}numFmts".encode()
            edits.insert(found[0].open_end, b'<%b count="%d">%b</%b>' % (tag, len(missing), new, tag))
        elif missing and holder is not None:
            set_attribute(edits, data, holder, "count", str(len(custom) + len(missing)))
            edits.insert(holder.close_start, new)
        return ids | dict(zip(missing, range(first, first + len(missing)), strict=True))


_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def _text(text: str) -> str:
    return escape(escape_controls(text))


def _with_last_child(data: bytes, parent: Element, child: str) -> bytes:
    """The part with one more child, the last, in this element."""
    content = child.encode()
    edits = Edits()
    if parent.open_end == parent.end:
        tag = data[parent.start : parent.open_end]
        edits.replace(parent.start, parent.end, tag[:-2] + b">" + content + b"</" + tag_name(tag) + b">")
    else:
        edits.insert(parent.close_start, content)
    return edits.applied(data)
