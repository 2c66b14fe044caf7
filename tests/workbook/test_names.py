"""Defined names put into and taken out of the bytes of a workbook part."""

from __future__ import annotations

import pytest

from holdwater.errors import WorkbookError
from holdwater.workbook.names import DefinedName, read_names, with_names

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEAD = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<workbook xmlns="{MAIN}">'
SHEETS = '<sheets><sheet name="One" sheetId="1"/><sheet name="Two &amp; a half" sheetId="2"/></sheets>'
CALC = '<calcPr calcId="191029"/></workbook>'
COST, X = '<definedName name="Cost">1</definedName>', '<definedName name="x">2</definedName>'
PRINTED = '<definedName name="_xlnm.Print_Area" localSheetId="0">One!$A$1</definedName>'
NEW = DefinedName("LTV", '_xlfn.LAMBDA(_xlpm.a_,IF(_xlpm.a_<1,"&",2))', 'what "it" is < worth')
WRITTEN = (
    '<definedName name="LTV" comment="what &quot;it&quot; is &lt; worth">'
    '_xlfn.LAMBDA(_xlpm.a_,IF(_xlpm.a_&lt;1,"&amp;",2))</definedName>'
)
WRITTEN_OVER = WRITTEN.replace('"LTV"', '"Ltv" hidden="1"')


def part(names: str, head: str = HEAD) -> bytes:
    return f"{head}{SHEETS}{names}{CALC}".encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"<definedNames>{WRITTEN}</definedNames>"),
        ("<definedNames/>", f"<definedNames>{WRITTEN}</definedNames>"),
        (
            '<externalReferences><externalReference r:id="rId9" xmlns:r="r"/></externalReferences>',
            '<externalReferences><externalReference r:id="rId9" xmlns:r="r"/></externalReferences>'
            f"<definedNames>{WRITTEN}</definedNames>",
        ),
        (
            f"<definedNames>\n {COST} {X}</definedNames>",
            f"<definedNames>\n {COST} {WRITTEN}{X}</definedNames>",
        ),
        (
            f"<definedNames>{PRINTED}</definedNames>",
            f"<definedNames>{WRITTEN}{PRINTED}</definedNames>",
        ),
        (
            '<definedNames><definedName name="a">1</definedName></definedNames>',
            f'<definedNames><definedName name="a">1</definedName>{WRITTEN}</definedNames>',
        ),
        (
            '<definedNames><definedName name="Ltv" hidden="1">1</definedName></definedNames>',
            f"<definedNames>{WRITTEN_OVER}</definedNames>",
        ),
    ],
)
def test_a_name_stands_where_it_belongs_and_all_else_stays(before: str, after: str) -> None:
    added = with_names(part(before), "workbook.xml", [NEW])
    assert added == part(after)
    assert with_names(added, "workbook.xml", [NEW]) == added, "the second time nothing changes"


def test_names_go_out_as_they_came_in() -> None:
    names = (
        '<definedNames><definedName name="Cost">1</definedName> <definedName name="x">2</definedName></definedNames>'
    )
    others = [NEW, DefinedName("Zeta", "1"), DefinedName("aa", "1"), DefinedName("CPL", "1")]
    for before in (part(""), part(names)):
        added = with_names(before, "workbook.xml", others)
        assert [n.name.casefold() for n in read_names(added, "w")] == sorted(
            n.name.casefold() for n in (*read_names(before, "w"), *others)
        )
        assert with_names(added, "workbook.xml", [], ["ltv", "ZETA", "aa", "CPL", "none"]) == before


def test_the_prefix_and_the_encoding_of_the_part_are_kept() -> None:
    data = f"<?xml version='1.0' encoding='US-ASCII'?><x:workbook xmlns:x='{MAIN}'><x:sheets/></x:workbook>".encode()
    named = DefinedName("LTV", '"é"', "ü")
    added = with_names(data, "workbook.xml", [named])
    assert (
        b'<x:definedNames><x:definedName name="LTV" comment="&#252;">"&#233;"</x:definedName></x:definedNames>' in added
    )
    assert read_names(added, "workbook.xml") == [named]


def test_a_name_of_one_sheet_is_another_name() -> None:
    before = part('<definedNames><definedName name="LTV" localSheetId="1">5</definedName></definedNames>')
    assert read_names(before, "w") == [DefinedName("LTV", "5", sheet="Two & a half")]
    assert with_names(before, "w", [], ["LTV"]) == before
    assert [n.sheet for n in read_names(with_names(before, "w", [NEW]), "w")] == ["Two & a half", None]


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ('<definedNames><definedName name="a" localSheetId="2">5</definedName></definedNames>', "a sheet 2"),
        ('<definedNames><definedName name="a" localSheetId="x">5</definedName></definedNames>', "a sheet x"),
        ("<definedNames><definedName>5</definedName></definedNames>", "definedName without name"),
        ("<definedNames>", "not well-formed"),
    ],
)
def test_damaged_names_are_refused(names: str, why: str) -> None:
    with pytest.raises(WorkbookError, match=why):
        read_names(part(names), "workbook.xml")


def test_a_workbook_without_sheets_is_refused() -> None:
    with pytest.raises(WorkbookError, match="no list of sheets"):
        with_names(f"<workbook xmlns='{MAIN}'/>".encode(), "workbook.xml", [NEW])
