"""How the books are kept: the clock of days and months, the week, and the currency with its rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import by_hand
import customers_by_hand
import pytest
from random_books import NOW, VERSION, books

from holdwater.crm.connector import Page
from holdwater.crm.records import Customer, Deal, Invoice, Lead, Money, Record, Spend
from holdwater.errors import ExportError
from holdwater.metrics.conventions import Conventions, zone
from holdwater.metrics.figures import Report
from holdwater.metrics.local import offsets
from holdwater.metrics.reporting import report
from holdwater.store.database import Store


def reported(folder: Path, records: list[Record], conventions: Conventions, as_of: datetime = NOW) -> Report:
    with Store.open(folder / "holdwater.db") as store:
        store.keep("a", Page("any", records))
        return report(store, as_of=as_of, conventions=conventions)


def lead(id: str, at: datetime) -> Lead:
    return Lead(id=id, created_at=at, updated_at=VERSION, source="email")


@pytest.mark.repeats
@pytest.mark.parametrize(
    ("name", "week_start"), [("Europe/Berlin", 1), ("America/New_York", 7), ("Asia/Kolkata", 6), ("Pacific/Apia", 3)]
)
def test_every_figure_by_the_clock_of_the_books(tmp_path: Path, name: str, week_start: int) -> None:
    records = books(8, 200)
    found = reported(tmp_path, records, Conventions(time_zone=name, week_start=week_start))
    clock = ZoneInfo(name)
    expected = customers_by_hand.figures(records, NOW, found.judged_after_days, clock, week_start)
    different = {name: (getattr(found, name), e) for name, e in expected.items()
                 if not customers_by_hand.same(getattr(found, name), e)}  # fmt: skip
    assert different == {}
    pairs = by_hand.Books(
        leads=[("a", r) for r in records if isinstance(r, Lead)],
        deals=[("a", r) for r in records if isinstance(r, Deal)],
        customers=[("a", r) for r in records if isinstance(r, Customer)],
        spend=[("a", r) for r in records if isinstance(r, Spend)],
    )
    assert by_hand.differences(found, by_hand.report(pairs, NOW, found.judged_after_days, clock)) == {}
    plain = reported(tmp_path, records, Conventions())
    assert replace(plain, conventions=found.conventions) != found
    assert plain.first_response == found.first_response  # hours are hours


def test_a_month_begins_at_midnight_there(tmp_path: Path) -> None:
    moments = [
        datetime(2025, 12, 31, 22, 59, 59, tzinfo=UTC),  # still December in Berlin
        datetime(2025, 12, 31, 23, 0, 0, tzinfo=UTC),
        datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC),  # summer: two hours ahead
        datetime(2026, 3, 31, 22, 0, 0, tzinfo=UTC),
    ]
    found = reported(tmp_path, [lead(str(n), at) for n, at in enumerate(moments)],
                     Conventions(time_zone="Europe/Berlin"), datetime(2026, 4, 30, tzinfo=UTC))  # fmt: skip
    assert [(row.month, row.leads) for row in found.months] == [
        (date(2025, 12, 1), 1), (date(2026, 1, 1), 1), (date(2026, 3, 1), 1), (date(2026, 4, 1), 1),
    ]  # fmt: skip


def test_a_date_without_a_time_stays_on_its_day(tmp_path: Path) -> None:
    dated, timed = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)
    found = reported(tmp_path, [lead("1", dated), lead("2", timed)], Conventions(time_zone="America/New_York"))
    assert [(row.month, row.leads) for row in found.months] == [(date(2025, 12, 1), 1), (date(2026, 1, 1), 1)]


def test_today_and_the_spend_of_today_are_those_of_the_clock(tmp_path: Path) -> None:
    spend = [Spend(id=str(day), day=date(2026, 2, day), amount=Money(100, "EUR", "1"), updated_at=VERSION,
                   source="email") for day in (1, 2, 3)]  # fmt: skip
    moment = datetime(2026, 2, 2, 3, tzinfo=UTC)
    records: list[Record] = [lead("1", datetime(2026, 2, 1, 1, tzinfo=UTC)), *spend]
    spent = {name: reported(tmp_path, records, Conventions(time_zone=name), moment)
             for name in ("UTC", "America/New_York", "Pacific/Apia")}  # fmt: skip
    assert {name: found.total.spend for name, found in spent.items()} == {
        "UTC": 2.0, "America/New_York": 1.0, "Pacific/Apia": 2.0
    }  # fmt: skip
    assert spent["America/New_York"].today == date(2026, 2, 1)


@pytest.mark.repeats
@pytest.mark.parametrize("name", ["Pacific/Honolulu", "America/New_York", "Europe/Berlin", "UTC"])
def test_dates_without_a_time_are_all_counted_wherever_the_books_are(tmp_path: Path, name: str) -> None:
    """The last of them is the moment of the figures, a Monday and the first of a month."""
    last = datetime(2026, 6, 1, tzinfo=UTC)
    records: list[Record] = [lead(str(n), last - timedelta(days=n)) for n in range(40)]
    records += [Customer(id=f"c{n}", started_at=last - timedelta(days=n), updated_at=VERSION) for n in (0, 20)]
    records.append(Spend(id="s", day=last.date(), amount=Money(5_000, "EUR", "50"), updated_at=VERSION, source="email"))
    found = reported(tmp_path, records, Conventions(time_zone=name), last)
    assert found.today == last.date()
    assert sum(week.leads for week in found.weeks) == 40
    assert [(row.month.month, row.new, row.complete) for row in found.customer_months] == [(5, 1, True), (6, 1, False)]
    assert found.total.spend == 50.0
    assert {row.month.month for row in found.months} == {4, 5, 6}


def test_a_date_of_tomorrow_is_counted_where_the_clock_still_says_today(tmp_path: Path) -> None:
    dated, now = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, 2, tzinfo=UTC)  # in New York still May
    records: list[Record] = [lead("1", dated - timedelta(days=9)), lead("2", dated),
                             Customer(id="c", started_at=dated, updated_at=VERSION)]  # fmt: skip
    found = reported(tmp_path, records, Conventions(time_zone="America/New_York"), now)
    assert found.today == date(2026, 5, 31)
    assert sum(week.leads for week in found.weeks) == 2
    assert [(row.month, row.new, row.complete) for row in found.customer_months] == [(date(2026, 6, 1), 1, False)]


def test_weeks_begin_on_the_day_that_was_typed(tmp_path: Path) -> None:
    sunday = datetime(2026, 3, 1, 12, tzinfo=UTC)
    records: list[Record] = [lead(str(n), sunday + timedelta(days=n)) for n in (0, 1, 6, 13)]
    until = sunday + timedelta(days=16)
    for week_start, first, counts in ((1, date(2026, 2, 23), [1, 2, 1, 0]), (7, date(2026, 3, 1), [3, 1, 0])):
        found = reported(tmp_path, records, Conventions(week_start=week_start), until)
        assert (found.weeks[0].week, [week.leads for week in found.weeks]) == (first, counts)
        assert found.conventions.week(date(2026, 3, 1)) == first


def test_offsets_are_the_clocks_to_the_second() -> None:
    clock = ZoneInfo("Europe/Berlin")
    found = offsets(clock, datetime(1970, 1, 1, tzinfo=UTC), NOW)
    assert (datetime(2025, 3, 30, 1), 7_200) in found  # noqa: DTZ001  # UTC without a zone, as the tables have it
    assert (datetime(2025, 10, 26, 1), 3_600) in found  # noqa: DTZ001  # as above
    for moment in (datetime(1971, 1, 1, tzinfo=UTC), datetime(1980, 4, 6, 1, tzinfo=UTC), NOW):
        plain = moment.replace(tzinfo=None)
        ahead = [seconds for at, seconds in found if at <= plain][-1]
        assert timedelta(seconds=ahead) == moment.astimezone(clock).utcoffset()
    assert [ahead for _, ahead in offsets(clock, NOW, NOW)] == [3_600]
    assert [ahead for _, ahead in offsets(UTC, NOW - timedelta(days=9_999), NOW)] == [0]


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc", "Europe", "/etc/passwd", "europe berlin"])
def test_what_is_no_time_zone(name: str) -> None:
    with pytest.raises(ValueError, match=name.replace(".", r"\.") or ".*"):
        zone(name)


# Currencies

BOOK: list[Record] = [
    lead("1", datetime(2026, 1, 2, 3, tzinfo=UTC)),
    *(
        Spend(id=currency, day=date(2026, 1, 5), amount=Money.of(Decimal(amount), currency, amount),
              updated_at=VERSION, source="email")
        for currency, amount in (("EUR", "100.00"), ("USD", "10.01"), ("JPY", "1500"), ("BHD", "2.345"))
    ),
    Invoice(id="i", customer_id="c", status="paid", issued_at=datetime(2026, 1, 9, tzinfo=UTC), updated_at=VERSION,
            total=Money(1_000, "USD", "10"), refunded=Money(100, "USD", "1")),
    Invoice(id="j", customer_id="c", status="paid", issued_at=datetime(2026, 1, 9, tzinfo=UTC), updated_at=VERSION,
            total=Money(500, "EUR", "5")),
    Invoice(id="k", customer_id="c", status="paid", issued_at=datetime(2026, 1, 9, tzinfo=UTC), updated_at=VERSION,
            total=Money(7, "GBP", "0.07")),
]  # fmt: skip
RATES = {"USD": 0.92, "JPY": 0.0061, "BHD": 2.44}


def test_several_currencies_become_one_by_the_typed_rates(tmp_path: Path) -> None:
    found = reported(tmp_path, BOOK, Conventions(currency="EUR", rates=RATES))
    assert found.currency == "EUR"
    # 10.01 x 0.92 = 9.2092, 1500 x 0.0061 = 9.15, 2.345 x 2.44 = 5.7218: each to its cent
    assert found.total.spend == pytest.approx(100 + 9.21 + 9.15 + 5.72, abs=1e-9)
    assert found.sources[0].spend == found.total.spend
    paid = {row.currency: (row.revenue, row.invoices, row.customers) for row in found.revenue_months}
    assert paid == {"EUR": (5 + 9.20 - 0.92, 2, 1), "GBP": (0.07, 1, 1)}  # no rate: it stays what it is


def test_a_currency_without_cents_can_be_that_of_the_books(tmp_path: Path) -> None:
    rates = {"EUR": 163.5, "USD": 150.0, "BHD": 400.0}
    found = reported(tmp_path, BOOK, Conventions(currency="JPY", rates=rates))
    assert (found.total.spend, found.currency) == (16_350 + 1_502 + 1_500 + 938, "JPY")


@pytest.mark.parametrize(
    ("rates", "named"),
    [({}, "BHD, JPY, USD"), ({"USD": 0.92, "JPY": 0.0061}, "BHD"), ({"usd": 1, "JPY": 1, "BHD": 1}, "USD")],
)
def test_a_currency_without_a_rate_is_refused_by_name(tmp_path: Path, rates: Mapping[str, float], named: str) -> None:
    with pytest.raises(ExportError, match=rf"Some spend is in {named}, and no rate is known: .* how much EUR one"):
        reported(tmp_path, BOOK, Conventions(currency="EUR", rates=rates))


def test_without_a_currency_of_the_books_none_is_guessed(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"several currencies \(BHD, EUR, JPY, USD\)"):
        reported(tmp_path, BOOK, Conventions())
    only = [record for record in BOOK if not isinstance(record, Spend) or record.amount.currency == "USD"]
    (tmp_path / "one").mkdir()
    assert reported(tmp_path / "one", only, Conventions()).currency == "USD"
    with pytest.raises(ExportError, match="in USD"):  # even where it is the only one
        reported(tmp_path / "one", only, Conventions(currency="EUR"))
