"""Exports read through the connector: real ones, typical ones, and each mistake in one."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from holdwater.crm.connector import Connector, Page
from holdwater.crm.files import Exports
from holdwater.crm.records import Customer, Deal, Lead, Money, Record, Spend
from holdwater.errors import ExportError

OLIST = Path(__file__).parent / "fixtures" / "olist.toml"

MAPPING = """
name = "shop"
timezone = "Europe/Berlin"
currency = "EUR"
empty = ["NULL"]

[leads]
file = "leads.csv"
columns = { id = "ID", created_at = "Created", source = "Source", owner_id = "Owner" }
"""
LEADS = "ID,Created,Source,Owner\n1,2024-01-31,Paid Search,7\n2,2024-02-01 08:30,,NULL\n"

DEALS = """
[deals]
file = "deals.csv"
columns = { id = "ID", status = "Stage", lead_id = "Lead", closed_at = "Closed", amount = "Net", currency = "Cur" }
statuses = { won = ["Closed Won"], lost = ["Closed Lost"], open = ["New", "Talking"] }
"""
SPEND = """
[spend]
file = "spend.csv"
columns = { day = "Day", amount = "Cost", source = "Source", campaign = "Campaign" }
"""
CUSTOMERS = """
[customers]
file = "customers.csv"
columns = { id = "ID", started_at = "First paid", ended_at = "Last paid", lead_id = "Lead" }
"""


class Folder:
    """An export under construction."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mapping = path / "mapping.toml"

    def write(self, mapping: str, **files: str | bytes) -> Folder:
        self.mapping.write_text(mapping, encoding="utf-8")
        for name, content in files.items():
            self.path.joinpath(f"{name}.csv").write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def pages(self) -> list[Page]:
        return list(Exports(self.path, self.mapping).pages({}))

    def records(self) -> list[Record]:
        return [record for page in self.pages() for record in page.records]

    def refusal(self) -> str:
        exports = Exports(self.path, self.mapping)
        with pytest.raises(ExportError) as caught:
            next(exports.pages({}))
        assert str(self.path) not in str(caught.value)
        return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def of(kind: type[Record], records: Sequence[Record]) -> list[Record]:
    return [record for record in records if isinstance(record, kind)]


# The real funnel.


@pytest.fixture(params=["stated", "settled by the column"])
def funnel(request: pytest.FixtureRequest, olist: Path, tmp_path: Path) -> list[Record]:
    text = OLIST.read_text(encoding="utf-8")
    if request.param != "stated":
        text, count = re.subn("date_format = .*", "", text)
        assert count == 1
    mapping = tmp_path / "olist.toml"
    mapping.write_text(text, encoding="utf-8")
    return [record for page in Exports(olist, mapping).pages({}) for record in page.records]


def test_olist_leads_by_source(funnel: list[Record]) -> None:
    sources = Counter(lead.source for lead in funnel if isinstance(lead, Lead))
    assert sources.total() == 8_000
    expected = {
        "organic_search": 2_296,
        "paid_search": 1_586,
        "social": 1_350,
        "unknown": 1_099,
        "email": 493,
        None: 60,
    }
    assert {source: sources[source] for source in expected} == expected


def test_olist_won_deals(funnel: list[Record]) -> None:
    deals = [deal for deal in funnel if isinstance(deal, Deal)]
    leads = {lead.id for lead in funnel if isinstance(lead, Lead)}
    assert len(deals) == 842
    assert {deal.status for deal in deals} == {"won"}
    assert all(deal.id == deal.lead_id and deal.lead_id in leads for deal in deals)
    assert all(deal.amount is None and deal.created_at is None for deal in deals)


def test_olist_dates_are_those_of_the_file(funnel: list[Record], olist: Path) -> None:
    there = ZoneInfo("America/Sao_Paulo")
    leads = {lead.id: lead.created_at for lead in funnel if isinstance(lead, Lead)}
    won = {deal.id: deal.closed_at for deal in funnel if isinstance(deal, Deal)}
    for line in (olist / "olist_marketing_qualified_leads_dataset.csv").read_text().splitlines()[1:]:
        lead, day, *_ = line.split(",")
        assert leads[lead] == datetime(int(day[6:10]), int(day[3:5]), int(day[:2]), tzinfo=UTC)
    for line in (olist / "olist_closed_deals_dataset.csv").read_text().splitlines()[1:]:
        lead, _, _, _, moment, *_ = line.split(",")
        day, clock = moment.split(" ")
        expected = datetime(int(day[6:]), int(day[3:5]), int(day[:2]), int(clock[:2]), int(clock[3:]), tzinfo=there)
        assert won[lead] == expected


def test_olist_pages(olist: Path) -> None:
    exports: Connector = Exports(olist, OLIST)
    pages = list(exports.pages({"leads": datetime.now(UTC)}))  # a watermark changes nothing
    assert exports.connection == "exports:olist"
    assert [len(page.records) for page in pages if page.stream == "leads"] == [500] * 16
    assert [len(page.records) for page in pages if page.stream == "deals"] == [500, 342]
    assert {page.stream: page.expected for page in pages} == {"leads": 8_000, "deals": 842}
    assert not [page for page in pages if page.watermark]


# Typical exports.


def test_leads(folder: Folder) -> None:
    folder.write(MAPPING, leads=LEADS)
    first, second = folder.records()
    assert first == Lead(
        id="1",
        created_at=datetime(2024, 1, 31, tzinfo=UTC),  # a date, which stays on its day
        updated_at=first.updated_at,
        source="paid_search",
        source_raw="Paid Search",
        owner_id="7",
    )
    assert second == Lead(
        id="2", created_at=datetime(2024, 2, 1, 7, 30, tzinfo=UTC), updated_at=first.updated_at
    )  # without a source it stays a lead


def test_a_semicolon_and_decimal_comma_export_from_windows(folder: Folder) -> None:
    export = (
        "\ufeffID;Stage;Lead;Closed;Net;Cur\r\n"
        '"D-1";Closed Won;1;31.01.2024 14:05;"1.234,50 €";\r\n'
        "D-2;closed lost;2;13.02.2024;;\r\n"
        'D-3;"Talking";"";;99,9;chf\r\n'
        ";;;;;\r\n"
    )
    folder.write(MAPPING + DEALS, leads=LEADS, deals=export)
    won, lost, talking = of(Deal, folder.records())
    assert won == Deal(
        id="D-1",
        status="won",
        created_at=None,
        closed_at=datetime(2024, 1, 31, 13, 5, tzinfo=UTC),
        updated_at=won.updated_at,
        lead_id="1",
        amount=Money(123450, "EUR", "1.234,50 €"),
    )
    assert isinstance(lost, Deal)
    assert isinstance(talking, Deal)
    assert (lost.status, lost.amount) == ("lost", None)  # no amount is not an amount of zero
    assert (talking.status, talking.lead_id, talking.closed_at) == ("open", None, None)
    assert talking.amount == Money(9990, "CHF", "99,9")


def test_customers(folder: Folder) -> None:
    export = "ID,First paid,Last paid,Lead\n1,2024-01-31 10:00,2024-01-31,1\n2,2024-01-31,,\n"
    folder.write(MAPPING + CUSTOMERS, leads=LEADS, customers=export)
    ended, stayed = of(Customer, folder.records())
    assert isinstance(ended, Customer)
    assert isinstance(stayed, Customer)
    assert (ended.ended_at, ended.lead_id) == (datetime(2024, 1, 31, tzinfo=UTC), "1")
    assert (stayed.ended_at, stayed.lead_id) == (None, None)


def test_equal_rows_of_spend_both_count(folder: Folder) -> None:
    export = "Day,Cost,Source,Campaign\n2024-02-01,10.50,Ads,a\n2024-02-01,10.50,Ads,a\n2024-02-01,3,Ads,b\n"
    folder.write(MAPPING + SPEND, leads=LEADS, spend=export)
    spend = [record for record in folder.records() if isinstance(record, Spend)]
    assert sum(record.amount.amount for record in spend) == Decimal("24.00")
    assert len({record.id for record in spend}) == 3
    assert {(record.day, record.source) for record in spend} == {(date(2024, 2, 1), "ads")}


def test_the_id_of_spend_outlives_order_and_corrections(folder: Folder) -> None:
    def amounts(*rows: str) -> dict[str, Decimal]:
        folder.write(MAPPING + SPEND, leads=LEADS, spend="\n".join(["Day,Cost,Source,Campaign", *rows]))
        return {record.id: record.amount.amount for record in folder.records() if isinstance(record, Spend)}

    before = amounts("2024-02-01,10.50,Ads,a", "2024-02-02,4,Ads,a")
    after = amounts("2024-01-31,7,Ads,a", "2024-02-02,4,Ads,a", "2024-02-01,11.00,ads,a")
    assert sum((before | after).values()) == Decimal(22)  # the corrected amount replaces the old one


def test_constants_of_a_whole_file(folder: Folder) -> None:
    mapping = (
        '[spend]\nfile = "spend.csv"\nsource = "Google Ads"\ncurrency = "USD"\n'
        'columns = { id = "No", day = "Day", amount = "Cost" }'
    )
    folder.write(mapping, spend="No,Day,Cost\n8,2024-02-01,$5\n8,2024-02-01,$5\n")
    (spend,) = folder.records()  # with an id of its own, a repeated row is the same one
    assert isinstance(spend, Spend)
    assert (spend.id, spend.source, spend.source_raw) == ("8", "google_ads", "Google Ads")
    assert spend.amount == Money(500, "USD", "$5")


def test_line_breaks_in_quotes_keep_the_line_numbers_right(folder: Folder) -> None:
    export = 'ID,Created,Source,Owner\r\n1,2024-01-31,"two\r\nlines",\r\n2,never,,\r\n'
    message = folder.write(MAPPING, leads=export).refusal()
    assert message.startswith('leads.csv, line 4, column "Created": "xxxxx" is not a date')


def test_an_export_without_rows_has_one_empty_page(folder: Folder) -> None:
    (page,) = folder.write(MAPPING, leads="ID,Created,Source,Owner\n").pages()
    assert (page.stream, list(page.records), page.expected) == ("leads", [], 0)


def test_the_connection_names_the_folder_without_its_path(folder: Folder) -> None:
    folder.write(MAPPING.replace('name = "shop"', ""), leads=LEADS)
    assert Exports(folder.path, folder.mapping).connection == f"exports:{folder.path.name}"


# Names and addresses.


@pytest.mark.parametrize(
    "change",
    [
        ("2024-01-31", "Jane Doe"),
        ("2024-01-31", ""),
        ("7\n", "7,Jane Doe\n"),
        ("7\n", '"Jane Doe\n'),
        ("Created", "When"),
    ],
)
def test_no_name_of_a_row_is_in_an_error(
    folder: Folder, change: tuple[str, str], printed: Callable[[BaseException], str]
) -> None:
    export = LEADS.replace("2,2024", "Jane Doe,2024").replace(*change)
    exports = Exports(folder.path, folder.write(MAPPING, leads=export).mapping)
    with pytest.raises(ExportError) as caught:
        next(exports.pages({}))
    assert "Jane" not in printed(caught.value)


# Versions.


def versions(folder: Folder) -> set[datetime]:
    return {record.updated_at for record in folder.records() if isinstance(record, Lead)}


def test_reading_the_same_export_again_gives_the_same_pages(folder: Folder) -> None:
    folder.write(MAPPING + SPEND, leads=LEADS, spend="Day,Cost,Source,Campaign\n2024-02-01,10.50,Ads,a\n")
    assert folder.pages() == folder.pages()


def wait_for_the_clock_of(file: Path) -> None:
    """Until a new file is seen to be newer than this one: file systems count in steps of milliseconds."""
    status = file.stat()
    probe = file.with_name("probe")
    while not probe.exists() or probe.stat().st_mtime_ns <= max(status.st_mtime_ns, status.st_ctime_ns):
        probe.write_text("")


def test_a_file_that_is_older_by_its_date_of_writing_is_newer_in_its_place(folder: Folder) -> None:
    (before,) = versions(folder.write(MAPPING, leads=LEADS))
    leads = folder.path / "leads.csv"
    wait_for_the_clock_of(leads)
    unpacked = folder.path / "unpacked.csv"
    unpacked.write_text(LEADS.replace("Paid Search", "Social"))
    os.utime(unpacked, (0, 0))  # as an archive gives it
    unpacked.replace(leads)
    (after,) = versions(folder)
    assert after > before


def test_a_changed_mapping_makes_every_row_newer(folder: Folder) -> None:
    (before,) = versions(folder.write(MAPPING, leads=LEADS))
    wait_for_the_clock_of(folder.mapping)
    folder.mapping.write_text(MAPPING.replace("Europe/Berlin", "Asia/Tokyo"))
    (after,) = versions(folder)
    assert after > before


def test_a_version_is_never_ahead_of_the_clock(folder: Folder) -> None:
    folder.write(MAPPING, leads=LEADS)
    ahead = (datetime.now(UTC) + timedelta(days=400)).timestamp()
    os.utime(folder.path / "leads.csv", (ahead, ahead))
    (version,) = versions(folder)
    assert version <= datetime.now(UTC)


# Mistakes in the rows.


def test_a_mistake_in_the_last_file_comes_before_the_first_page(folder: Folder) -> None:
    folder.write(MAPPING + SPEND, leads=LEADS, spend="Day,Cost,Source,Campaign\n2024-02-01,,Ads,a\n")
    assert 'spend.csv, line 2, column "Cost": the cell is empty' in folder.refusal()


@pytest.mark.parametrize(
    ("mapping", "files", "where"),
    [
        (MAPPING, {"leads": LEADS.replace("\n2,", "\n,")}, 'leads.csv, line 3, column "ID"'),
        (MAPPING, {"leads": LEADS.replace("\n2,", "\nNULL,")}, 'leads.csv, line 3, column "ID"'),
        (MAPPING, {"leads": LEADS.replace("2024-01-31", "")}, 'leads.csv, line 2, column "Created"'),
        (DEALS, {"deals": "ID,Stage,Lead,Closed,Net,Cur\n1,,,,,\n"}, 'deals.csv, line 2, column "Stage"'),
        (
            CUSTOMERS,
            {"customers": "ID,First paid,Last paid,Lead\n1,,,\n"},
            'customers.csv, line 2, column "First paid"',
        ),
        (
            'currency = "EUR"' + SPEND,
            {"spend": "Day,Cost,Source,Campaign\n,1,,\n"},
            'spend.csv, line 2, column "Day"',
        ),
    ],
)
def test_a_needed_value_that_is_missing(folder: Folder, mapping: str, files: dict[str, str], where: str) -> None:
    message = folder.write(mapping, **files).refusal()
    assert message == f"{where}: the cell is empty, but this value is needed; fill it in or remove the row"


def test_two_different_rows_with_one_id(folder: Folder) -> None:
    message = folder.write(MAPPING, leads=LEADS.replace("\n2,", "\n1,")).refusal()
    assert message.startswith('leads.csv, line 3, column "ID": the id is also on line 2, whose row is different; ')
    assert "map id to a column that is different on every row" in message


def test_a_difference_that_is_not_mapped_is_still_one(folder: Folder) -> None:
    # Two sales of one day may look alike in all that is mapped; losing one would be a wrong number.
    export = "ID,Stage,Lead,Closed,Net,Cur,Order\n1,New,1,,5,EUR,88\n1,New,1,,5,EUR,89\n"
    assert "line 3" in folder.write(DEALS, deals=export).refusal()


def test_a_repeated_row_is_one_record(folder: Folder) -> None:
    folder.write(MAPPING, leads=LEADS + "1,2024-01-31, Paid Search,7\n")
    assert [record.id for record in folder.records()] == ["1", "2"]


def test_a_status_that_is_in_no_list(folder: Folder) -> None:
    export = "ID,Stage,Lead,Closed,Net,Cur\n1,New,,,,\n2,Lost,,,,\n3,Parked,,,,\n4,lost,,,,\n"
    message = folder.write(DEALS, deals=export).refusal()
    assert message == (
        'deals.csv, line 3, column "Stage": the status on this line is in none of the lists (and neither is line 4); '
        "write its text under [deals.statuses] in the mapping, as won, lost or open"
    )


def test_an_address_is_never_kept_as_a_source(folder: Folder) -> None:
    message = folder.write(MAPPING, leads="ID,Created,Source,Owner\n1,2024-03-01,anna@shop.example,\n").refusal()
    assert 'line 2, column "Source": the cell holds an e-mail address' in message
    assert "anna" not in message


def test_an_ambiguous_date_says_how_to_state_the_format(folder: Folder) -> None:
    export = "ID,Created,Source,Owner\n1,03/04/2024,,\n"
    message = folder.write(MAPPING, leads=export).refusal()
    assert 'leads.csv, line 2, column "Created": the date "03/04/2024" could be 2024-04-03' in message
    assert "write the date_format that is meant under [leads] in the mapping" in message
    folder.write(MAPPING + 'date_format = "DD/MM/YYYY"\n')
    (lead,) = folder.records()
    assert isinstance(lead, Lead)
    assert lead.created_at == datetime(2024, 4, 3, tzinfo=UTC)


def test_an_ambiguous_number_says_how_to_state_the_decimal_sign(folder: Folder) -> None:
    export = 'ID,Stage,Lead,Closed,Net,Cur\n1,New,,,"1,234",EUR\n'
    assert "write the decimal that is meant under [deals]" in folder.write(DEALS, deals=export).refusal()
    (deal,) = folder.write(DEALS.replace("[deals]", '[deals]\ndecimal = "."')).records()
    assert isinstance(deal, Deal)
    assert deal.amount == Money(123400, "EUR", "1,234")


def test_an_id_that_a_spreadsheet_rounded(folder: Folder) -> None:
    message = folder.write(MAPPING, leads=LEADS.replace("\n2,", "\n1.23457E+15,")).refusal()
    assert 'leads.csv, line 3, column "ID": "1.23457E+15" is an id that a spreadsheet has rounded' in message
    assert "do not save the file from a spreadsheet" in message


def test_a_customer_that_ends_before_the_start(folder: Folder) -> None:
    export = "ID,First paid,Last paid,Lead\n1,2024-02-01,2024-01-31,\n"
    message = folder.write(CUSTOMERS, customers=export).refusal()
    assert 'customers.csv, line 2, column "Last paid": the customer ends before the start' in message


def test_a_currency_that_is_no_code(folder: Folder) -> None:
    message = folder.write(DEALS, deals="ID,Stage,Lead,Closed,Net,Cur\n1,New,,,5,euros\n").refusal()
    assert 'deals.csv, line 2, column "Cur": the cell is no currency code; write three capital letters' in message


def test_an_amount_without_any_currency(folder: Folder) -> None:
    message = folder.write(DEALS, deals="ID,Stage,Lead,Closed,Net,Cur\n1,New,,,5,\n").refusal()
    assert 'deals.csv, line 2, column "Net": the amount has no currency' in message


def test_a_missing_file_and_a_missing_column(folder: Folder) -> None:
    assert "the export has no file leads.csv" in folder.write(MAPPING).refusal()
    message = folder.write(MAPPING, leads="ID,Created,Sources,Owner\n").refusal()
    assert 'leads.csv has no column "Source", the closest is "Sources"; its columns are: ID, Created' in message
