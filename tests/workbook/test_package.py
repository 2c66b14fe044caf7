"""Opening, refusing and saving a workbook."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from made_workbooks import changed_entries, deals_workbook, edited, entries, part, with_parts

from holdwater.errors import WorkbookError, WorkbookLockedError
from holdwater.workbook.cells import Content
from holdwater.workbook.package import Package

ROW: list[Content] = ["new", 1, None, None]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return deals_workbook(tmp_path / "deals.xlsx")


def changed(path: Path) -> Package:
    package = Package.open(path)
    package.replace_rows("Deals", [ROW])
    return package


def test_a_workbook_tells_what_it_holds(book: Path) -> None:
    package = Package.open(book)
    assert package.sheets() == {
        "Deals here": "xl/worksheets/sheet1.xml",
        "Model": "xl/worksheets/sheet2.xml",
        "Extra": "xl/worksheets/sheet3.xml",
    }
    table = package.tables()["Deals"]
    assert (table.sheet, str(table.ref), str(table.body), table.totals_row) == ("Deals here", "B3:E7", "B4:E7", False)
    assert table.columns == ("Name", "Amount", "Closed", "Twice")
    names = package.defined_names()
    assert names["Amounts"] == names["'Extra'!Local"] == "'Deals here'!$C$4:$C$7"
    assert package.table("deals") == table


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not an .xlsx workbook"),
        (b"a,b\n1,2\n", "not an .xlsx workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted, or an .xls"),
    ],
)
def test_files_of_another_kind_are_refused(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(content)
    with pytest.raises(WorkbookError, match=why):
        Package.open(path)


def test_a_missing_a_cut_and_a_foreign_zip_are_refused(book: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="There is no workbook at"):
        Package.open(tmp_path / "none.xlsx")
    book.write_bytes(book.read_bytes()[:-400])
    with pytest.raises(WorkbookError, match="cut off"):
        Package.open(book)
    with zipfile.ZipFile(book, "w") as container:
        container.writestr("readme.txt", "hello")
    with pytest.raises(WorkbookError, match=r"not an .xlsx workbook"):
        Package.open(book)
    with zipfile.ZipFile(book, "w"):
        pass  # nothing in it
    with pytest.raises(WorkbookError, match=r"not an .xlsx workbook"):
        Package.open(book)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("_xmlsignatures/sig1.xml", b"<x/>", "digitally signed"),
        ("../evil.xml", b"<x/>", "unsafe name '../evil.xml'"),
        ("/etc/evil", b"<x/>", "unsafe name"),
        ("xl\\evil.xml", b"<x/>", "unsafe name"),
        ("XL/WORKBOOK.XML", b"<x/>", "twice"),
        ("xl/bomb.xml", bytes(20 << 20), "unpacks to far more"),
    ],
)
def test_containers_that_are_not_sound_are_refused(book: Path, name: str, content: bytes, why: str) -> None:
    with_parts(book, {name: content})
    with pytest.raises(WorkbookError, match=re.escape(why)) as refused:
        Package.open(book)
    assert re.search("(open it in|remove it in|save it anew)", str(refused.value)), "what to do"


def test_two_entries_of_one_name_are_refused(book: Path) -> None:
    with zipfile.ZipFile(book, "a") as container, pytest.warns(UserWarning, match="Duplicate name"):
        container.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(WorkbookError, match=r"holds xl/workbook.xml twice"):
        Package.open(book)


@pytest.mark.parametrize(("lock", "program"), [("~$deals.xlsx", "Excel"), (".~lock.deals.xlsx#", "LibreOffice")])
def test_a_workbook_that_is_open_elsewhere_is_left_alone(book: Path, lock: str, program: str) -> None:
    package = changed(book)
    original = book.read_bytes()
    book.with_name(lock).touch()
    with pytest.raises(WorkbookLockedError, match=f"close it in {program} and run again"):
        Package.open(book)
    with pytest.raises(WorkbookLockedError, match=f"close it in {program}"):
        package.save()
    assert book.read_bytes() == original


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><worksheet/>', "document type"),
        ("<?xml version='1.0' encoding='UTF-16'?><worksheet/>".encode("utf-16"), "not written in UTF-8"),
        (b"<?xml version='1.0' encoding='latin-1'?><worksheet/>", "not written in UTF-8"),
        (b"<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>", "not well-formed"),
        (b"<worksheet/>", "not a worksheet"),
        (b"<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'/>", "no rows element"),
    ],
)
def test_parts_that_cannot_be_trusted_are_refused(book: Path, content: bytes, why: str) -> None:
    with_parts(book, {"xl/worksheets/sheet1.xml": content})
    with pytest.raises(WorkbookError, match=why):
        Package.open(book).replace_rows("Deals", [ROW])


def read_and_refresh(path: Path) -> None:
    package = Package.open(path)
    package.defined_names()
    list(package.read_cells("Deals here"))
    package.replace_rows("Deals", [ROW])
    package.save()


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("xl/_rels/workbook.xml.rels", ' Target="worksheets/sheet1.xml"', "", "Relationship without Target"),
        ("[Content_Types].xml", ' PartName="/xl/workbook.xml"', "", "Override without PartName"),
        ("xl/tables/table1.xml", ' displayName="Deals"', "", "table without displayName"),
        ("xl/tables/table1.xml", 'ref="B3:E7" t', 'ref="B3" t', "does not describe a table"),
        ("xl/workbook.xml", 'localSheetId="2"', 'localSheetId="9"', "a sheet 9 that is not there"),
        (
            "xl/worksheets/_rels/sheet1.xml.rels",
            "tables/table1.xml",
            "tables/table7.xml",
            "no part xl/tables/table7.xml",
        ),
        ("xl/worksheets/sheet1.xml", "<v>11</v>", "<v>9999</v>", "damaged at cell A5"),
    ],
)
def test_damage_is_named(book: Path, name: str, old: str, new: str, why: str) -> None:
    edited(book, name, (old, new))
    with pytest.raises(WorkbookError, match=why):
        read_and_refresh(book)


def test_nothing_changed_writes_nothing(book: Path) -> None:
    before = book.stat()
    assert Package.open(book).save() is False
    after = book.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_copy_may_be_saved_elsewhere(book: Path, tmp_path: Path) -> None:
    original = book.read_bytes()
    book.chmod(0o640)
    other = tmp_path / "copy.xlsx"
    assert changed(book).save(other) is True
    assert book.read_bytes() == original
    assert other.stat().st_mode & 0o777 == 0o640
    assert Package.open(other).table("Deals").body.last_row == 4
    unchanged = tmp_path / "same.xlsx"
    assert Package.open(book).save(unchanged) is True
    assert unchanged.read_bytes() == original


def test_saving_is_repeatable_byte_for_byte(book: Path, tmp_path: Path) -> None:
    changed(book).save(tmp_path / "a.xlsx")
    changed(book).save(tmp_path / "b.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_entries_of_other_zip_writers_survive(book: Path) -> None:
    """Data descriptors, extra fields, comments and stored entries are kept as they are."""
    with zipfile.ZipFile(book) as container:
        contents = {name: container.read(name) for name in container.namelist()}
    with book.open("wb") as file:
        file.seekable = lambda: False  # type: ignore[method-assign] # makes zipfile write data descriptors
        with zipfile.ZipFile(file, "w") as container:
            for index, (name, content) in enumerate(contents.items()):
                entry = zipfile.ZipInfo(name, (2023, 5, 6, 7, 8, 10))
                entry.compress_type = zipfile.ZIP_STORED if index % 2 else zipfile.ZIP_DEFLATED
                entry.comment, entry.extra = b"note", b"\x99\x99\x02\x00hi"
                container.writestr(entry, content)
            container.comment = b"the end"
    before = entries(book)
    package = changed(book)
    touched = set(package.changed_parts)
    package.save()
    assert changed_entries(before, book) == touched | {"xl/charts/chart1.xml"}
    with zipfile.ZipFile(book) as container:
        assert container.comment == b"the end"
    Package.open(book)


def test_permissions_and_links_stay(book: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.xlsx"
    link.symlink_to(book)
    book.chmod(0o604)
    changed(link).save()
    assert link.is_symlink()
    assert book.stat().st_mode & 0o777 == 0o604
    assert Package.open(book).table("Deals").body.last_row == 4


def test_the_workbook_may_be_saved_again_after_more_changes(book: Path) -> None:
    package = changed(book)
    assert package.save() is True
    assert package.save() is False
    package.replace_rows("Deals", [ROW, ROW])
    assert package.save() is True
    assert Package.open(book).table("Deals").body.last_row == 5


def test_a_workbook_changed_meanwhile_is_not_overwritten(book: Path) -> None:
    package = changed(book)
    edited(book, "xl/worksheets/sheet3.xml", ("</sheetData>", " </sheetData>"))
    theirs = book.read_bytes()
    with pytest.raises(WorkbookError, match="changed by someone else"):
        package.save()
    assert book.read_bytes() == theirs


def test_a_read_only_workbook_is_refused(book: Path) -> None:
    original = book.read_bytes()
    book.chmod(0o444)
    with pytest.raises(WorkbookLockedError, match="may not be written"):
        changed(book).save()
    assert book.read_bytes() == original


def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "shut"
    folder.mkdir()
    book = deals_workbook(folder / "deals.xlsx")
    package = changed(book)
    root = os.geteuid() == 0
    for place in (folder, *folder.parents):
        if root and place.is_relative_to(tmp_path.parents[2]):  # pytest shuts its own
            place.chmod(place.stat().st_mode | 0o055)
    book.chmod(0o666)
    folder.chmod(0o555)
    try:
        if root:  # who may write everywhere has to become somebody else for a moment
            os.seteuid(65534)
        with pytest.raises(WorkbookLockedError, match="allow writing to it and its folder"):
            package.save()
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.mark.parametrize(
    ("error", "expected"),
    [(PermissionError(13, "Permission denied"), WorkbookLockedError), (OSError(28, "No space left"), WorkbookError)],
)
def test_a_failed_save_leaves_the_original_and_no_other_file(
    book: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, expected: type[WorkbookError]
) -> None:
    original, files = book.read_bytes(), sorted(book.parent.iterdir())

    def fail(*_: object) -> None:
        raise error

    package = changed(book)
    for call in ("replace", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            with pytest.raises(expected):
                package.save()
        assert book.read_bytes() == original
        assert sorted(book.parent.iterdir()) == files
    assert package.save() is True


KILLED = """
import os, signal, sys
from pathlib import Path
from holdwater.workbook.package import Package
stage, path = sys.argv[1:]
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
package = Package.open(path)
package.replace_rows("Deals", [["new", 1, None, None]])
module, name = {"begin": ("tempfile", "mkstemp"), "flush": ("os", "fsync"), "replace": ("os", "replace")}[stage]
setattr(__import__(module), name, die)
package.save()
"""


@pytest.mark.parametrize("stage", ["begin", "flush", "replace"])
def test_a_killed_save_leaves_the_original(book: Path, stage: str) -> None:
    original = book.read_bytes()
    child = subprocess.run([sys.executable, "-c", KILLED, stage, str(book)], check=False, capture_output=True)
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    assert book.read_bytes() == original
    changed(book).save()  # what the killed one left behind is in nobody's way
    assert Package.open(book).table("Deals").body.last_row == 4


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('<calcPr calcId="124519" fullCalcOnLoad="1"/>', "", '</definedNames><calcPr fullCalcOnLoad="1"/></workbook>'),
        (' fullCalcOnLoad="1"', ' calcMode="manual"', '<calcPr calcId="124519" calcMode="manual" fullCalcOnLoad="1"/>'),
        ('fullCalcOnLoad="1"', "fullCalcOnLoad='0'", '<calcPr calcId="124519" fullCalcOnLoad="1"/>'),
        ('fullCalcOnLoad="1"', 'fullCalcOnLoad="true"', 'fullCalcOnLoad="true"'),
    ],
)
def test_formulas_are_due_on_opening(book: Path, old: str, new: str, expected: str) -> None:
    edited(book, "xl/workbook.xml", (old, new))
    package = Package.open(book)
    package.set_value("Extra", {(3, 1): "x"})
    package.save()
    assert expected in part(book, "xl/workbook.xml")
