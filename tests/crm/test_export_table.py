"""CSV files as programs write them, and every way in which one cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdwater.crm.export_table import ExportTable, read_table
from holdwater.errors import ExportError


def table(
    tmp_path: Path, content: bytes | str, *, delimiter: str | None = None, encoding: str = "utf-8-sig"
) -> ExportTable:
    (tmp_path / "leads.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(tmp_path / "leads.csv", file="leads.csv", table="leads", encoding=encoding, delimiter=delimiter)


def refusal(tmp_path: Path, content: bytes | str, *, delimiter: str | None = None, encoding: str = "utf-8-sig") -> str:
    with pytest.raises(ExportError) as caught:
        table(tmp_path, content, delimiter=delimiter, encoding=encoding)
    return str(caught.value)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\r\n"])
def test_delimiters_and_line_ends(tmp_path: Path, mark: str, end: str, start: str) -> None:
    read = table(tmp_path, start + end.join([f"id{mark}source", f"1{mark} web ", f"2{mark}"]) + end)
    assert (read.headers, read.rows) == (["id", "source"], [["1", "web"], ["2", ""]])


def test_line_numbers_are_those_of_an_editor(tmp_path: Path) -> None:
    read = table(tmp_path, 'id,note\n1,"two\nlines"\n\n2,x\n,\n3,"a ""quote"", and a comma"\n')
    assert read.rows == [["1", "two\nlines"], ["2", "x"], ["3", 'a "quote", and a comma']]
    assert read.lines == [2, 5, 7]  # a blank line and a row without any value are no rows
    assert read.column("note").lines == [2, 5, 7]


def test_the_line_that_excel_puts_before_the_header(tmp_path: Path) -> None:
    read = table(tmp_path, "sep=;\r\nid;amount, net\r\n1;5,00\r\n")
    assert (read.headers, read.rows, read.lines) == (["id", "amount, net"], [["1", "5,00"]], [3])


def test_a_header_that_holds_a_delimiter_in_quotes(tmp_path: Path) -> None:
    assert table(tmp_path, '"amount, net\nof tax";id\n1;2\n').headers == ["amount, net\nof tax", "id"]


def test_an_unclear_delimiter(tmp_path: Path) -> None:
    message = refusal(tmp_path, "id;amount, net\n1;5,00\n")
    assert "leads.csv, line 1: the header line has a comma and a semicolon" in message
    assert 'write delimiter = ";" (or what it is) under [leads]' in message
    assert "no comma, semicolon, tab or bar" in refusal(tmp_path, "id\n1\n")
    assert table(tmp_path, "id;amount, net\n1;5,00\n", delimiter=";").rows == [["1", "5,00"]]


def test_other_encodings(tmp_path: Path) -> None:
    text = "id,source\n1,Café\n"
    message = refusal(tmp_path, text.encode("cp1252"))
    assert "leads.csv, line 2: the byte at offset 15 is no utf-8-sig text" in message
    assert 'write encoding = "cp1252"' in message
    assert "under [leads]" in message
    assert table(tmp_path, text.encode("cp1252"), encoding="cp1252").rows == [["1", "Café"]]
    assert 'write encoding = "utf-16" under [leads]' in refusal(tmp_path, text.encode("utf-16"))
    assert table(tmp_path, text.encode("utf-16"), encoding="utf-16").rows == [["1", "Café"]]


@pytest.mark.parametrize("content", ["", "\ufeff", "\r\n \r\n", "sep=;\r\n"])
def test_an_empty_file(tmp_path: Path, content: str) -> None:
    assert refusal(tmp_path, content) == "leads.csv is empty; export it again, with its header line"


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    assert table(tmp_path, "id,source\n").rows == []


@pytest.mark.parametrize(("row", "count"), [("2", 1), ("2,x,y", 3)])
def test_a_row_with_too_few_or_too_many_fields(tmp_path: Path, row: str, count: int) -> None:
    message = refusal(tmp_path, f'id,note\n1,"two\nlines"\n{row}\n')
    assert f"leads.csv, line 4: the row has {count} fields, but the header line has 2" in message
    assert "put quotes round" in message


def test_a_file_that_is_one_quote(tmp_path: Path) -> None:
    assert "no comma, semicolon, tab or bar" in refusal(tmp_path, '"')


def test_a_quote_that_is_not_closed(tmp_path: Path) -> None:
    message = refusal(tmp_path, 'id,note\n1,x\n2,"never closed\n3,y\n')
    assert "leads.csv, line 3: the row that starts here cannot be split" in message
    assert "a quote that is not closed" in message


def test_a_missing_file_names_the_closest(tmp_path: Path) -> None:
    (tmp_path / "lead.csv").touch()
    with pytest.raises(ExportError) as caught:
        read_table(tmp_path / "leads.csv", file="leads.csv", table="leads", encoding="utf-8", delimiter=None)
    message = str(caught.value)
    assert 'the export has no file leads.csv, the closest is "lead.csv"; its folder holds: lead.csv' in message
    assert "correct file in the mapping" in message
    assert str(tmp_path) not in message


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="its folder holds: no file"):
        read_table(tmp_path / "gone" / "leads.csv", file="leads.csv", table="leads", encoding="utf-8", delimiter=None)


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").mkdir()
    with pytest.raises(ExportError, match=r"leads\.csv cannot be read"):
        read_table(tmp_path / "leads.csv", file="leads.csv", table="leads", encoding="utf-8", delimiter=None)


def test_a_missing_column_names_the_columns_and_the_closest(tmp_path: Path) -> None:
    with pytest.raises(ExportError) as caught:
        table(tmp_path, "Lead ID,Created On,\n1,x,\n").column("Created on")
    assert str(caught.value) == (
        'leads.csv has no column "Created on", the closest is "Created On"; its columns are: Lead ID, Created On; '
        "correct the name under [leads] in the mapping"
    )


def test_a_file_without_a_header_line_does_not_show_somebodys_data(tmp_path: Path) -> None:
    with pytest.raises(ExportError) as caught:
        table(tmp_path, "1,Jane Doe,jane@example.org\n2,x,y\n").column("Name")
    assert str(caught.value) == (
        'leads.csv has no column "Name", and its first line looks like data; export it again, with its header line'
    )


def test_a_header_that_stands_twice(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r'leads\.csv has 2 columns with the header "Date"; rename all but the one'):
        table(tmp_path, "id,Date,Date\n1,x,y\n").column("Date")


def test_texts_that_mean_no_value(tmp_path: Path) -> None:
    assert table(tmp_path, "id,source\n1,NULL\n2,web\n").column("source", ["NULL"]).cells == ["", "web"]
