"""Whatever goes wrong, the workbook is what it was, and the message says what to do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from made_workbooks import deals_workbook, part, with_parts
from table_books import CHART, MODEL, SHEET, cells, deals, refresh

from holdwater.errors import WorkbookError, WorkbookLockedError
from holdwater.workbook.cells import Content
from holdwater.workbook.package import Package
from holdwater.workbook.saving import keep_copy

NOW = datetime(2026, 10, 31, 12, 30, 5, tzinfo=UTC)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return deals_workbook(tmp_path / "deals.xlsx")


# A process of its own forks one child for each moment: a count of calls, at which the child kills itself.
KILLED = """
import json, os, random, signal, sys
from pathlib import Path
from holdwater.workbook.package import Package

path = Path(sys.argv[1])
original = path.read_bytes()
rows = [[f"deal {n}", n * 1.5, None, None] for n in range(3000)]

def refresh(fatal):
    calls, marks = 0, {}
    def count(frame, event, argument):
        nonlocal calls
        calls += 1
        if calls == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        if event == "c_call" and argument.__name__ == "replace" and argument.__module__ == "posix":
            marks["replace"] = calls
        elif event == "call" and frame.f_code.co_name == "mkstemp":
            marks["begin"] = calls
    package = Package.open(path)
    sys.setprofile(count)
    package.replace_rows("Deals", rows)
    package.save()
    sys.setprofile(None)
    return calls, marks["begin"], marks["replace"]

refresh(0)  # what is remembered from a first time, such as patterns, makes fewer calls later
path.write_bytes(original)
total, begin, replace = refresh(0)
renewed = path.read_bytes()
assert renewed != original
chance = random.Random(8)
moments = [chance.randint(begin, replace) for _ in range(44)] + [chance.randint(1, begin) for _ in range(6)]
seen = {"whole": 0, "renewed": 0, "writing": 0, "broken": 0}
for moment in moments:
    path.write_bytes(original)
    child = os.fork()
    if child == 0:
        refresh(moment)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
    now = path.read_bytes()
    seen["whole" if now == original else "renewed" if now == renewed else "broken"] += 1
    seen["writing"] += begin <= moment <= replace
print(json.dumps(seen))
"""


@pytest.mark.slow
def test_killed_at_fifty_moments_the_workbook_is_whole(book: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, book], check=True, capture_output=True, text=True)
    seen = json.loads(done.stdout)
    assert seen["broken"] == 0
    assert seen["whole"] + seen["renewed"] == 50
    assert seen["writing"] >= 40
    assert seen["whole"] >= 40
    refresh(book, deals(2))  # what the killed ones left behind is in nobody's way


FULL = """
import random, resource, signal, sys
from holdwater.errors import WorkbookError
from holdwater.workbook.package import Package
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
package = Package.open(sys.argv[1])
noise, count = random.Random(1), int(sys.argv[2])
rows = [[noise.randbytes(90).hex(), noise.randbytes(90).hex(), None, None] for _ in range(count)]
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    package.replace_rows("Deals", rows)
    package.save()
except WorkbookError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("count", "why"), [(100, "make room on its disk and run again"), (30_000, "set TMPDIR to a folder that has some")]
)
def test_a_full_disk_leaves_the_workbook_and_no_other_file(book: Path, count: int, why: str) -> None:
    original, files = book.read_bytes(), sorted(book.parent.iterdir())
    command = [sys.executable, "-c", FULL, str(book), str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert why in done.stdout
    assert book.read_bytes() == original
    assert sorted(book.parent.iterdir()) == files


def test_an_entry_that_unpacks_to_more_than_it_says_is_refused(book: Path) -> None:
    with zipfile.ZipFile(book) as container:
        entry = container.getinfo(SHEET)
    small, large = (entry.file_size - 9).to_bytes(4, "little"), entry.file_size.to_bytes(4, "little")
    data = book.read_bytes()
    at = data.rindex(SHEET.encode())  # its record in the central directory
    changed = data[: at - 22] + data[at - 22 : at].replace(large, small) + data[at:]
    assert changed != data
    book.write_bytes(changed)
    with pytest.raises(WorkbookError, match=f"holds {SHEET} damaged"):
        refresh(book, deals(2))
    assert book.read_bytes() == changed


READ_PARTS = [
    "[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/tables/table1.xml",
    "xl/worksheets/_rels/sheet1.xml.rels", SHEET, MODEL, CHART,
]  # fmt: skip


@pytest.mark.parametrize("name", READ_PARTS)
def test_a_document_type_is_refused_wherever_it_stands(book: Path, name: str) -> None:
    """A billion laughs in ten lines, or a file of this machine: no part that is read may bring entities of its own."""
    entities = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
    declaration, _, rest = part(book, name).partition("?>")
    with_parts(book, {name: f"{declaration}?>{entities}{rest}"})
    original = book.read_bytes()
    with pytest.raises(WorkbookError, match=r"declares a document type.*save it as a new \.xlsx and use that"):
        refresh(book, deals(9))
    assert book.read_bytes() == original


@pytest.mark.parametrize("target", ["../../../../etc/passwd", "/../../etc/passwd", "file:///etc/passwd", "C:\\x.xml"])
def test_a_relationship_leads_to_no_file_outside_the_workbook(book: Path, target: str) -> None:
    rels = "xl/_rels/workbook.xml.rels"
    with_parts(book, {rels: part(book, rels).replace("worksheets/sheet1.xml", target)})
    original = book.read_bytes()
    with pytest.raises(WorkbookError, match=r"has no table Deals .*give a workbook that Holdwater made"):
        refresh(book, deals(9))
    assert book.read_bytes() == original


HARMFUL = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "=HYPERLINK(\"http://example.com\",\"x\")",
    "javascript:alert(1)", "file:///etc/passwd", "http://example.com", "a\x00b\x08c\x1bd",
    "</t></is></c><c><f>1</f></c>", "]]>", "<!--", "_x0041_",
]  # fmt: skip


def test_harmful_texts_are_texts_and_nothing_else(book: Path) -> None:
    """Neither a formula nor a link, whoever wrote it into the CRM."""
    rows: list[list[Content]] = [[text, 1, None, None] for text in HARMFUL]
    links, rels = part(book, SHEET).count("<hyperlink "), part(book, "xl/worksheets/_rels/sheet1.xml.rels")
    refresh(book, rows)
    package = Package.open(book)
    body = package.table("Deals").body
    ours = [cell for cell in package.read_cells("Deals here", [body]) if cell.column == body.first_column]
    assert [(cell.formula, cell.value) for cell in ours] == [(None, text) for text in HARMFUL]
    assert part(book, SHEET).count("<hyperlink ") == links
    assert part(book, "xl/worksheets/_rels/sheet1.xml.rels") == rels
    shown = cells(book, values=False)
    assert shown["B4"] == "=1+1"
    assert re.search(r'<c r="B4"[^>]* t="inlineStr">', part(book, SHEET))


def test_rows_beyond_the_last_of_a_sheet_are_refused(book: Path) -> None:
    original = book.read_bytes()
    one: list[Content] = ["x", 1, None, None]
    package = Package.open(book)
    with pytest.raises(WorkbookError, match=r"a sheet ends at row 1,048,576; keep fewer rows"):
        package.replace_rows("Deals", [one] * 1_048_574)
    assert package.save() is False
    assert book.read_bytes() == original


def test_what_fails_in_the_midst_of_the_rows_changes_nothing(book: Path) -> None:
    original = book.read_bytes()
    package = Package.open(book)
    rows: list[list[Content]] = [*deals(500), ["x" * 32_768, 1, None, None]]
    with pytest.raises(WorkbookError, match=r"row 501, column 'Name'.*a cell holds at most 32,767"):
        package.replace_rows("Deals", rows)
    assert not package.changed_parts
    assert package.save() is False
    assert book.read_bytes() == original


def test_rows_that_are_not_as_many_as_they_say_are_refused(book: Path) -> None:
    class Rows(list[list[Content]]):
        def __len__(self) -> int:
            return 7

    for count in (6, 8):
        with pytest.raises(WorkbookError, match="were said to be 7 and are not"):
            Package.open(book).replace_rows("Deals", Rows(deals(count)))


def test_a_backup_is_the_workbook_as_it_was(book: Path, tmp_path: Path) -> None:
    book.chmod(0o640)
    folder = tmp_path / "kept" / "here"
    first, second = keep_copy(book, folder, NOW), keep_copy(book, folder, NOW)
    assert [first.name, second.name] == ["deals 2026-10-31 12.30.05.xlsx", "deals 2026-10-31 12.30.05 (2).xlsx"]
    assert first.read_bytes() == second.read_bytes() == book.read_bytes()
    assert first.stat().st_mode & 0o777 == 0o640


def test_without_a_place_for_the_backup_nothing_happens(book: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(WorkbookError, match="give --backup a folder that can be written"):
        keep_copy(book, tmp_path / "taken", NOW)


@pytest.mark.parametrize("lock", ["~$deals.xlsx", ".~lock.deals.xlsx#"])
def test_a_lock_file_says_how_to_go_on(book: Path, lock: str) -> None:
    book.with_name(lock).touch()
    with pytest.raises(WorkbookLockedError, match=r"close it in \w+ and run again .*delete"):
        Package.open(book)


@pytest.mark.parametrize(
    ("row", "cell"),
    [
        ('<row r="5"><c r="A5"><v>1</v></c></row>', "A5"),
        ("<!-- <row r=\"5\"></row> --><row r='5' ht=\"20\"><c r='A5'><v>1</v></c></row>", "A5"),
        ('<row r="5"><c r="A5" t="inlineStr"><is><t><![CDATA[</row><row r="9">]]></t></is></c></row >', "A5"),
        ('<row r="5"><?mine </row>?><c r="A5"><v>1</v></c></row\n>', "A5"),
    ],
)
def test_rows_are_told_apart_however_they_are_written(book: Path, row: str, cell: str) -> None:
    sheet = part(book, SHEET)
    start, end = sheet.index('<row r="5"'), sheet.index('<row r="6"')
    with_parts(book, {SHEET: sheet[:start] + row + sheet[end:]})
    refresh(book, deals(1))
    assert row in part(book, SHEET)
    assert cell in cells(book)
    assert cells(book)["B4"] == "deal 0"
