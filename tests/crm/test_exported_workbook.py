"""Exports that are Excel workbooks: typed cells, and every way in which a workbook cannot be read."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import python_calamine
import xlsxwriter

from holdwater.crm.export_table import ExportTable, read_table
from holdwater.crm.files import Exports
from holdwater.crm.records import Deal, Lead, Money, Record, Spend
from holdwater.errors import ExportError

MAPPING = """
timezone = "Europe/Berlin"
currency = "EUR"
[deals]
file = "deals.xlsx"
columns = { id = "ID", status = "Stage", lead_id = "Lead", closed_at = "Closed", amount = "Net" }
"""
HEADERS = ["ID", "Stage", "Lead", "Closed", "Net"]
CLOSED = datetime(2024, 1, 31, 14, 5, 30)  # noqa: DTZ001 -- a cell knows no time zone
BERLIN = ZoneInfo("Europe/Berlin")


class Folder:
    """An export under construction, whose workbook XlsxWriter makes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(
        self,
        *rows: Sequence[Any],
        name: str = "deals.xlsx",
        more: Callable[[Any, Any], None] | None = None,
        **options: Any,
    ) -> Folder:
        """Rows from the first on; `more` gets the book and its sheet before they are closed."""
        with xlsxwriter.Workbook(self.path / name, {"default_date_format": "dd/mm/yyyy hh:mm", **options}) as book:
            sheet = book.add_worksheet("Export")
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            if more:
                more(book, sheet)
        return self

    def records(self, mapping: str = MAPPING) -> list[Record]:
        (self.path / "mapping.toml").write_text(mapping, encoding="utf-8")
        pages = Exports(self.path, self.path / "mapping.toml").pages({})
        return [record for page in pages for record in page.records]

    def deals(self, mapping: str = MAPPING) -> list[Deal]:
        return [record for record in self.records(mapping) if isinstance(record, Deal)]

    def refusal(self, mapping: str = MAPPING) -> str:
        with pytest.raises(ExportError) as caught:
            self.records(mapping)
        assert str(self.path) not in str(caught.value)
        return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def table(folder: Folder, *, sheet: str | None = None) -> ExportTable:
    return read_table(
        folder.path / "deals.xlsx", file="deals.xlsx", table="deals", encoding="utf-8", delimiter=None, sheet=sheet
    )


# What a workbook says.


@pytest.mark.parametrize("date_format", ["", 'date_format = "MM/DD/YYYY"', 'date_format = "excel"'])
@pytest.mark.parametrize("decimal", ["", 'decimal = ","'])
def test_typed_cells_mean_what_they_are_whatever_the_mapping_says_of_texts(
    folder: Folder, date_format: str, decimal: str
) -> None:
    folder.write(HEADERS, [4711, "won", 12.0, CLOSED, 1.234], ["D-2", "lost", None, None, 1234])
    first, second = folder.deals(f"{date_format}\n{decimal}\n{MAPPING}")
    assert (first.id, first.status, first.lead_id) == ("4711", "won", "12")
    assert first.closed_at == CLOSED.replace(tzinfo=BERLIN)
    assert first.amount == Money(123, "EUR", "1.234")
    assert second.amount == Money(123400, "EUR", "1234")
    assert (second.lead_id, second.closed_at) == (None, None)


def test_a_day_is_that_day_by_every_clock(folder: Folder) -> None:
    (deal,) = folder.write(HEADERS, [1, "won", 1, date(2024, 1, 31), 5]).deals()
    assert deal.closed_at == datetime(2024, 1, 31, tzinfo=UTC)


def test_dates_counted_from_1904(folder: Folder) -> None:
    (deal,) = folder.write(HEADERS, [1, "won", 1, CLOSED, 5], date_1904=True).deals()
    assert deal.closed_at == CLOSED.replace(tzinfo=BERLIN)


@pytest.mark.parametrize("old", [False, True])
def test_day_numbers_without_a_date_format_are_counted_from_the_books_own_first_day(folder: Folder, old: bool) -> None:
    folder.write(HEADERS, [1, "won", 1, 43132 - 1462 * old, 5], date_1904=old)
    (deal,) = folder.deals('date_format = "excel"\n' + MAPPING)
    assert deal.closed_at == datetime(2018, 2, 1, tzinfo=UTC)
    assert "is not a date" in folder.refusal()  # they are never guessed


def test_a_code_that_is_shown_with_zeros_keeps_them(folder: Folder) -> None:
    def coded(book: Any, sheet: Any) -> None:
        sheet.write_number(1, 2, 7, book.add_format({"num_format": "00000"}))

    (deal,) = folder.write(HEADERS, [1, "won", None, CLOSED, 5], more=coded).deals()
    assert deal.lead_id == "00007"


def test_a_formatted_cell_far_below_an_empty_sheet_is_no_work(folder: Folder) -> None:
    with xlsxwriter.Workbook(folder.path / "deals.xlsx") as book:
        book.add_worksheet("Export").write_blank(1_048_575, 0, None, book.add_format({"bold": True}))
    assert "deals.xlsx is empty" in folder.refusal()


def test_texts_beside_typed_cells_are_read_as_the_column_settles(folder: Folder) -> None:
    folder.write(HEADERS, [1, "won", 1, CLOSED, 5], [2, "won", 1, "25.02.2024", "1.234,50 €"])
    _, second = folder.deals()
    assert second.closed_at == datetime(2024, 2, 25, tzinfo=UTC)
    assert second.amount == Money(123450, "EUR", "1.234,50 €")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.1, "0.1"),
        (0.1 + 0.2, "0.3"),  # the fifteen digits that Excel has
        (1.1 * 1.1, "1.21"),
        (2.675, "2.675"),
        (12345.0, "12345"),
        (-19.99, "-19.99"),
        (0.00001, "0.00001"),
        (999999999999999, "999999999999999"),
        (123456789012.34, "123456789012.34"),
        (True, "TRUE"),
    ],
)
def test_a_number_is_the_text_that_excel_shows(folder: Folder, number: float, text: str) -> None:
    assert table(folder.write(["x"], [number])).rows == [[text]]


def test_an_amount_is_exact(folder: Folder) -> None:
    folder.write(
        ["Day", "Cost"], [date(2024, 2, 1), 0.1], [date(2024, 2, 1), 0.1], [date(2024, 2, 1), 0.1], name="s.xlsx"
    )
    mapping = 'currency = "TND"\n[spend]\nfile = "s.xlsx"\ncolumns = { day = "Day", amount = "Cost" }\n'  # thousandths
    spend = [record for record in folder.records(mapping) if isinstance(record, Spend)]
    assert sum(record.amount.amount for record in spend) == Decimal("0.3")
    assert {record.day for record in spend} == {date(2024, 2, 1)}


def test_the_currency_of_a_cells_format_counts(folder: Folder) -> None:
    def priced(number_format: str) -> Folder:
        return folder.write(
            HEADERS,
            [1, "won", 1, CLOSED],
            more=lambda book, sheet: sheet.write(1, 4, 1234.5, book.add_format({"num_format": number_format})),
        )

    for euros in ("[$€-407] #,##0.00", "#,##0.00 [$€-1]", '#,##0.00 "€"', "#,##0.00 €", "#,##0.00", "[$-407]0.00"):
        (deal,) = priced(euros).deals()
        assert deal.amount is not None
        assert (deal.amount.minor, deal.amount.currency) == (123450, "EUR"), euros
    for dollars in (
        "$#,##0.00",
        '"$"#,##0.00',
        "[$$-409]#,##0.00",
        "[$USD] #,##0.00",
        "_($* #,##0.00_);_($* (#,##0.00)",
    ):
        message = priced(dollars).refusal()
        assert 'deals.xlsx, cell E2, column "Net": the amount' in message, dollars
        assert "its currency is EUR" in message, dollars


def test_formulas_count_by_the_value_they_had(folder: Folder) -> None:
    def formulas(_: Any, sheet: Any) -> None:
        sheet.write_formula("E2", "=2*10", None, 20)
        sheet.write_formula("C2", '=""', None, "")

    folder.write(HEADERS, [1, "won", None, CLOSED], more=formulas)
    _with_part(folder, lambda text: text.replace('<c r="C2"><f>""</f>', '<c r="C2" t="str"><f>""</f>'))
    (deal,) = folder.deals()
    assert (deal.lead_id, deal.amount) == (None, Money(2000, "EUR", "20"))


def test_the_first_sheet_or_the_one_that_is_named(folder: Folder) -> None:
    def another(book: Any, _: Any) -> None:
        sheet = book.add_worksheet("Won deals")
        sheet.write_row(0, 0, HEADERS)
        sheet.write_row(1, 0, [99, "won", 1, CLOSED, 5])

    folder.write(HEADERS, [1, "won", 1, CLOSED, 5], more=another)
    assert [deal.id for deal in folder.deals()] == ["1"]
    assert [deal.id for deal in folder.deals(MAPPING + 'sheet = "Won deals"')] == ["99"]
    assert folder.refusal(MAPPING + 'sheet = "won deals"') == (
        'deals.xlsx has no sheet "won deals", the closest is "Won deals"; its sheets are: Export, Won deals; '
        "correct sheet under [deals] in the mapping"
    )


def test_a_hidden_sheet_is_read_only_by_its_name(folder: Folder) -> None:
    def hidden(book: Any, sheet: Any) -> None:
        sheet.hide()
        shown = book.add_worksheet("Shown")
        shown.write_row(0, 0, HEADERS)
        shown.write_row(1, 0, [99, "won", 1, CLOSED, 5])
        shown.activate()

    folder.write(HEADERS, [1, "won", 1, CLOSED, 5], more=hidden)
    assert [deal.id for deal in folder.deals()] == ["99"]
    assert [deal.id for deal in folder.deals(MAPPING + 'sheet = "Export"')] == ["1"]


def test_blank_rows_hidden_rows_and_what_has_no_header(folder: Folder) -> None:
    def hidden(_: Any, sheet: Any) -> None:
        sheet.set_row(4, None, None, {"hidden": True})

    folder.write(
        [], HEADERS, [1, "won", 1, CLOSED, 5, "a note"], [], [2, "won", 1, CLOSED, 6], [None, " "], more=hidden
    )
    read = table(folder)
    assert read.headers == HEADERS
    assert read.lines == [3, 5]
    assert [deal.id for deal in folder.deals()] == ["1", "2"]


def test_a_header_may_be_a_number_and_columns_may_start_further_right(folder: Folder) -> None:
    read = table(folder.write([None, 2024, "x"], [None, 5, " y "]))
    assert (read.headers, read.rows) == (["", "2024", "x"], [["", "5", "y"]])


def test_a_book_of_openpyxl_and_one_with_shared_texts(folder: Folder) -> None:
    book = openpyxl.Workbook()
    for row in (HEADERS, ["1", "won", "2", CLOSED, 0.1]):
        book.active.append(row)
    book.save(folder.path / "deals.xlsx")
    (deal,) = folder.deals()
    assert (deal.id, deal.lead_id, deal.amount) == ("1", "2", Money(10, "EUR", "0.1"))
    assert deal.closed_at == CLOSED.replace(tzinfo=BERLIN)


def test_a_sheet_that_understates_its_size_is_read_whole(folder: Folder) -> None:
    folder.write(HEADERS, *([number, "won", 1, CLOSED, 5] for number in range(20)))
    _with_part(folder, lambda text: re.sub('<dimension ref="[^"]*"/>', '<dimension ref="A1:B3"/>', text))
    assert len(folder.deals()) == 20


# What is refused.


def test_an_id_that_excel_has_rounded(folder: Folder) -> None:
    message = folder.write(HEADERS, [1234567890123456, "won", 1, CLOSED, 5]).refusal()
    assert 'deals.xlsx, cell A2, column "ID": "1.23456789012346E+15" is an id that a spreadsheet has rounded' in message
    (deal,) = folder.write(HEADERS, ["1234567890123456789", "won", 1, CLOSED, 5]).deals()  # a text is whole
    assert deal.id == "1234567890123456789"


def test_an_id_that_excel_has_made_a_date_of(folder: Folder) -> None:
    message = folder.write(HEADERS, [date(2024, 3, 1), "won", 1, CLOSED, 5]).refusal()
    assert 'deals.xlsx, cell A2, column "ID": the cell holds a date, where an id belongs' in message


@pytest.mark.parametrize(("value", "kind"), [(time(10, 30), "date"), (timedelta(hours=30), "date")])
def test_a_time_of_day_or_a_span_is_no_date(folder: Folder, value: object, kind: str) -> None:
    def timed(book: Any, sheet: Any) -> None:
        shown = "[h]:mm" if isinstance(value, timedelta) else "hh:mm"
        sheet.write_datetime("D2", value, book.add_format({"num_format": shown}))

    message = folder.write(HEADERS, [1, "won", 1, None, 5], more=timed).refusal()
    assert message.startswith('deals.xlsx, cell D2, column "Closed": ')
    assert f"is not a {kind}" in message


def test_an_error_is_refused_by_its_cell_unless_it_is_no_value_or_not_asked_for(folder: Folder) -> None:
    def broken(_: Any, sheet: Any) -> None:
        sheet.write_formula("E2", "=NA()", None, "#N/A")
        sheet.write_formula("F2", "=1/0", None, "#DIV/0!")

    folder.write([*HEADERS, "Ratio"], [1, "won", 1, CLOSED], more=broken)
    assert folder.refusal() == (
        'deals.xlsx, cell E2, column "Net": the cell shows the error #N/A; correct its formula, or, if it means '
        '"no value", list it under empty in the mapping'
    )
    (deal,) = folder.deals('empty = ["#N/A"]\n' + MAPPING)
    assert deal.amount is None


def test_a_formula_that_was_never_computed(folder: Folder) -> None:
    book = openpyxl.Workbook()
    for row in (HEADERS, [1, "won", 1, CLOSED, "=2*10"]):
        book.active.append(row)
    book.save(folder.path / "deals.xlsx")
    assert folder.refusal() == (
        'deals.xlsx, cell E2, column "Net": the cell has a formula, but not its value; '
        "open the workbook in a spreadsheet program and save it there"
    )


def test_merged_cells(folder: Folder) -> None:
    def merged(_: Any, sheet: Any) -> None:
        sheet.merge_range("C2:C3", 7)

    folder.write(HEADERS, [1, "won", 7, CLOSED, 5], [2, "won", None, CLOSED, 5], more=merged)
    assert folder.refusal() == (
        'deals.xlsx, cell C3, column "Lead": the cell is merged with C2, so what it holds is unclear; '
        "take the merging back, and write the value into each cell it is meant for"
    )
    (first, second) = folder.deals(MAPPING.replace('lead_id = "Lead", ', ""))  # a column that is not asked for
    assert (first.id, second.id) == ("1", "2")


def test_a_title_over_the_headers_is_not_taken_for_them(folder: Folder) -> None:
    def title(_: Any, sheet: Any) -> None:
        sheet.merge_range("A1:E1", "Deals of 2024")

    message = folder.write([], HEADERS, [1, "won", 1, CLOSED, 5], more=title).refusal()
    assert 'deals.xlsx has no column "ID"' in message


def test_an_empty_sheet(folder: Folder) -> None:
    assert folder.write().refusal() == "deals.xlsx is empty; export it again, with its header line"


def test_a_sheet_named_for_a_file_that_is_no_workbook(folder: Folder) -> None:
    (folder.path / "deals.csv").write_text("ID,Stage\n1,won\n")
    mapping = '[deals]\nfile = "deals.csv"\nsheet = "Export"\ncolumns = { id = "ID", status = "Stage" }\n'
    message = folder.refusal(mapping)
    assert message == 'deals.csv is no workbook, so it has no sheet "Export"; take sheet out of [deals] in the mapping'


def test_a_workbook_with_a_password_and_one_of_before_2007(folder: Folder) -> None:
    (folder.path / "deals.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504))
    assert folder.refusal() == (
        "deals.xlsx is encrypted, or an .xls of before 2007; "
        "open it in Excel, take its password away and save it as .xlsx"
    )


DAMAGED = "deals.xlsx is damaged, or no .xlsx workbook; open it in Excel and save it as .xlsx, or export it again"


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.99])
def test_a_workbook_that_is_cut_off(folder: Folder, share: float) -> None:
    folder.write(HEADERS, *([number, "won", 1, CLOSED, 5] for number in range(200)))
    content = (folder.path / "deals.xlsx").read_bytes()
    (folder.path / "deals.xlsx").write_bytes(content[: int(len(content) * share)])
    assert folder.refusal() == DAMAGED


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("<v>5</v>", "<v>five</v>"),
        lambda text: text.replace('t="s"><v>1</v>', 't="s"><v>999</v>'),
        lambda text: text.replace('r="3"', 'r="2"'),  # a second row 2
    ],
    ids=["half a sheet", "no number", "no such text", "a row twice"],
)
def test_a_workbook_with_a_damaged_sheet(folder: Folder, change: Callable[[str], str]) -> None:
    folder.write(HEADERS, [1, "won", 1, CLOSED, 5], [2, "won", 1, CLOSED, 6])
    _with_part(folder, change)
    assert folder.refusal() == DAMAGED


def test_a_zip_that_is_no_workbook(folder: Folder) -> None:
    with zipfile.ZipFile(folder.path / "deals.xlsx", "w") as archive:
        archive.writestr("deals.csv", "ID,Stage\n1,won\n")
    assert folder.refusal() == DAMAGED


def test_a_zip_bomb(folder: Folder) -> None:
    folder.write(HEADERS, [1, "won", 1, CLOSED, 5])
    with zipfile.ZipFile(folder.path / "deals.xlsx", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/bomb.xml", bytes(20 << 20))
    assert folder.refusal().startswith("deals.xlsx unpacks to far more than a workbook holds")


def test_a_text_that_grows_without_end(folder: Folder) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    folder.write(HEADERS, [1, "won", 1, CLOSED, 5])
    _with_part(
        folder,
        lambda text: re.sub(r"\?>", f'?><!DOCTYPE w [<!ENTITY l0 "ha">{laughs}]>', text, count=1).replace(
            "<v>5</v>", "<v>&l9;</v>"
        ),
    )
    assert folder.refusal() == DAMAGED


@pytest.mark.parametrize("cell", ["Jane Doe", "#N/A"])
def test_no_name_of_a_row_is_in_an_error(folder: Folder, cell: str, printed: Callable[[BaseException], str]) -> None:
    folder.write(HEADERS, ["Jane Doe", "won", 1, CLOSED, cell])
    (folder.path / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    with pytest.raises(ExportError) as caught:
        next(Exports(folder.path, folder.path / "mapping.toml").pages({}))
    assert "Jane" not in printed(caught.value)


def test_leads_from_a_workbook_are_those_of_the_csv_file(folder: Folder) -> None:
    rows = [(f"L-{number}", date(2024, 1, 1) + timedelta(days=number), f"Source {number % 3}") for number in range(60)]
    folder.write(["ID", "Created", "Source"], *rows, name="leads.xlsx")
    lines = "".join(f"{id_},{created},{source}\n" for id_, created, source in rows)
    (folder.path / "leads.csv").write_text("ID,Created,Source\n" + lines)
    mapping = (
        'timezone = "Europe/Berlin"\n[leads]\nfile = "leads.{}"\ncolumns = {{ id = "ID", created_at = "Created" }}\n'
    )

    def leads(kind: str) -> list[tuple[str, datetime, str | None]]:
        found = folder.records(mapping.format(kind))
        return [(lead.id, lead.created_at, lead.source) for lead in found if isinstance(lead, Lead)]

    assert leads("xlsx") == leads("csv")
    assert len(leads("xlsx")) == 60


def test_every_cell_is_what_another_reader_says(folder: Folder) -> None:
    chance = random.Random(20261122)
    rows = [
        [chance.choice([chance.uniform(-1e9, 1e9), chance.randrange(10**15), round(chance.uniform(0, 1e6), 2)]),
         datetime(2000, 1, 1) + timedelta(seconds=chance.randrange(10**9))]  # noqa: DTZ001 -- as above
        for _ in range(300)
    ]  # fmt: skip
    read = table(folder.write(["number", "moment"], *rows))
    with python_calamine.CalamineWorkbook.from_path(folder.path / "deals.xlsx") as book:
        _, *others = book.get_sheet_by_index(0).to_python()
    assert [float(text) for text, _ in read.rows] == pytest.approx([row[0] for row in others], rel=1e-14)
    assert [datetime.fromisoformat(text) for _, text in read.rows] == [row[1] for row in others]
    assert [row[1] for row in rows] == [row[1] for row in others]


def _with_part(folder: Folder, change: Callable[[str], str]) -> None:
    """The sheet's own part of the workbook, changed."""
    path = folder.path / "deals.xlsx"
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                text = change(content.decode())
                assert text != content.decode()
                content = text.encode()
            new.writestr(name, content)
    path.write_bytes(out.getvalue())
