"""The mapping file: what it allows, and what it says about a mistake."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel

from holdwater.crm.mapping import CustomerColumns, DealColumns, LeadColumns, Mapping, SpendColumns, load_mapping
from holdwater.errors import ExportError

PAGE = Path(__file__).parents[2] / "docs" / "exports.md"

LEADS = '[leads]\nfile = "leads.csv"\ncolumns = { id = "ID", created_at = "Created" }\n'


def load(tmp_path: Path, text: str | bytes) -> Mapping:
    path = tmp_path / "mapping.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_mapping(path)


def refusal(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(ExportError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert message.startswith("the mapping mapping.toml")
    assert str(tmp_path) not in message
    return message


def deals(more: str, columns: str = 'id = "ID"') -> str:
    return f'[deals]\nfile = "deals.csv"\n{more}\n[deals.columns]\n{columns}\n'


def test_defaults(tmp_path: Path) -> None:
    leads = load(tmp_path, LEADS).leads
    assert leads is not None
    assert (leads.zone, leads.encoding, leads.delimiter, leads.decimal) == (UTC, "utf-8-sig", None, None)
    assert leads.format_of("created_at") is None


def test_the_top_holds_for_tables_that_do_not_say_otherwise(tmp_path: Path) -> None:
    top = 'timezone = "Europe/Paris"\ndelimiter = ";"\ndecimal = ","\ndate_format = "DD/MM/YYYY"\nencoding = "cp1252"\n'
    own = 'delimiter = "tab"\ndecimal = "."\nencoding = "utf-16"\nstatus = "won"\ndate_format = { closed_at = "excel" }'
    mapping = load(tmp_path, top + LEADS + deals(own, 'id = "ID"\nclosed_at = "Won"\ncreated_at = "Created"'))
    leads, won = mapping.leads, mapping.deals
    assert leads is not None
    assert won is not None
    assert (leads.delimiter, leads.decimal, leads.encoding) == (";", ",", "cp1252")
    assert (won.delimiter, won.decimal, won.encoding) == ("\t", ".", "utf-16")
    assert leads.zone == won.zone == ZoneInfo("Europe/Paris")
    assert leads.format_of("created_at") == "DD/MM/YYYY"
    assert (won.format_of("closed_at"), won.format_of("created_at")) == ("excel", None)


def test_statuses(tmp_path: Path) -> None:
    lists = 'statuses = { won = ["Closed Won"], lost = ["Closed Lost", "Junk"] }'
    won = load(tmp_path, deals(lists, 'id = "ID"\nstatus = "Stage"')).deals
    assert won is not None
    assert won.status_names() == {"closed won": "won", "closed lost": "lost", "junk": "lost"}
    plain = load(tmp_path, deals("", 'id = "ID"\nstatus = "Status"')).deals
    assert plain is not None
    assert plain.status_names() == {"open": "open", "won": "won", "lost": "lost"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('timezon = "UTC"\n' + LEADS, ['the key "timezon" is not known, the closest is "timezone"; the keys there']),
        (LEADS.replace("[leads]", "[lead]"), ['the key "lead" is not known, the closest is "leads"']),
        (
            LEADS.replace("created_at", "created"),
            ['[leads], the key "columns.created" is not known, the closest is "created_at"'],
        ),
        (
            LEADS.replace(" }", ', sourse = "x" }'),
            ['[leads], the key "columns.sourse" is not known, the closest is "source"; the keys there are: id, '],
        ),
        (LEADS.replace(" }", ', updated_at = "x" }'), ['the key "columns.updated_at" is not known']),
        (LEADS.replace('id = "ID", ', ""), ['[leads], the key "columns.id" is missing; it is needed']),
        (LEADS.replace('file = "leads.csv"', ""), ['[leads], the key "file" is missing']),
        (LEADS.replace("leads.csv", "../leads.csv"), ["[leads], file: ", "leads out of the export's folder"]),
        (LEADS.replace("leads.csv", "/etc/leads.csv"), ["leads out of the export's folder"]),
        (LEADS.replace("leads.csv", "C:/leads.csv"), ["leads out of the export's folder"]),
        ('timezone = "Europe/Pariss"\n' + LEADS, ["timezone: ", '"Europe/Pariss" is not known here', "Europe/Paris"]),
        ('timezone = "/etc"\n' + LEADS, ["timezone: "]),
        ('timezone = "Europe"\n' + LEADS, ["timezone: "]),
        ('currency = "euro"\n' + LEADS, ['currency: "euro" is no currency code', "three capital letters"]),
        ('encoding = "latin-99"\n' + LEADS, ['encoding: "latin-99" is no encoding', "cp1252"]),
        ('encoding = "hex"\n' + LEADS, ['encoding: "hex" is no encoding']),
        ('delimiter = ", "\n' + LEADS, ["delimiter: a delimiter is one mark"]),
        ('decimal = ";"\n' + LEADS, ["decimal: Input should be '.' or ','"]),
        ('date_format = "DD/MM"\n' + LEADS, ['the date_format "DD/MM" is not understood', "DD/MM/YYYY"]),
        (
            LEADS + 'date_format = { created = "DD/MM/YYYY" }',
            ['[leads], date_format names "created", but the dates here are created_at'],
        ),
        ("", ["there is no table; write at least one of [leads], [deals], [customers], [spend]"]),
        ("leads = 5", ["[leads], "]),
        (deals(""), ["[deals], write columns.status, or", 'status = "won"']),
        (deals('status = "Won"'), ["[deals], status: Input should be 'open', 'won' or 'lost'"]),
        (
            deals('status = "won"', 'id = "ID"\nstatus = "Status"'),
            ["[deals], status and columns.status exclude each other; remove one"],
        ),
        (deals('status = "won"\nstatuses = { won = ["x"] }'), ["statuses needs columns.status"]),
        (
            deals('statuses = { won = ["Done"], lost = ["done"] }', 'id = "ID"\nstatus = "Status"'),
            ['statuses lists "done" under won and under lost'],
        ),
        (
            deals('statuses = { Won = ["Done"] }', 'id = "ID"\nstatus = "Status"'),
            ["[deals], statuses.Won: Input should be 'open', 'won' or 'lost'"],
        ),
        (deals('status = "won"', 'id = "ID"\namount = "Net"'), ["columns.amount needs a currency", "columns.currency"]),
        (
            LEADS.replace(" }", ', source = "x" }') + 'source = "web"',
            ["[leads], source and columns.source exclude each other; remove one"],
        ),
        ("leads = \n", ["is not valid TOML", "line 1"]),
        (b'name = "caf\xe9"', ["is not written in UTF-8; save it as UTF-8"]),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, text: str | bytes, parts: list[str]) -> None:
    message = refusal(tmp_path, text)
    assert all(part in message for part in parts), message


def test_a_missing_mapping(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"the mapping gone\.toml cannot be read"):
        load_mapping(tmp_path / "gone.toml")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeff" + LEADS).leads is not None


def test_the_examples_of_the_page_are_mappings(tmp_path: Path) -> None:
    typical, olist = (
        load(tmp_path, example)
        for example in re.findall("```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    )
    assert typical.spend is not None
    assert (typical.spend.source, typical.spend.delimiter) == ("paid_search", "\t")
    assert olist == load_mapping(Path(__file__).parent / "fixtures" / "olist.toml")


@pytest.mark.parametrize(
    ("table", "columns"),
    [("leads", LeadColumns), ("deals", DealColumns), ("customers", CustomerColumns), ("spend", SpendColumns)],
)
def test_the_page_lists_every_column(table: str, columns: type[BaseModel]) -> None:
    row = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `[{table}]`"))
    needed, further = (set(re.findall("`([a-z_]+)`", cell)) for cell in row.split("|")[3:5])
    fields = columns.model_fields
    assert needed - {"status"} == {name for name, field in fields.items() if field.is_required()}
    assert needed | further == set(fields)
