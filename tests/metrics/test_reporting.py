from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import by_hand
import pytest
from by_hand import Books
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from holdwater.crm.connector import Page
from holdwater.crm.records import Customer, Deal, Lead, Money, Spend
from holdwater.errors import ExportError, HoldwaterError
from holdwater.metrics.figures import Report
from holdwater.metrics.reporting import report
from holdwater.store.database import Store

START = datetime(2026, 1, 1, tzinfo=UTC)
VERSION = datetime(2026, 6, 1, tzinfo=UTC)


def after(days: float) -> datetime:
    return START + timedelta(days=days)


def lead(id: str, day: float, source: str | None = None, person: str | None = None) -> Lead:
    return Lead(id=id, created_at=after(day), updated_at=VERSION, source=source, person=person)


def deal(id: str, lead_id: str | None, day: float | None, status: Literal["open", "won", "lost"] = "won") -> Deal:
    closed_at = None if day is None else after(day)
    return Deal(id=id, status=status, created_at=None, updated_at=VERSION, lead_id=lead_id, closed_at=closed_at)


def customer(id: str, lead_id: str | None, day: float, person: str | None = None) -> Customer:
    return Customer(id=id, started_at=after(day), updated_at=VERSION, lead_id=lead_id, person=person)


def spend(id: str, day: int, amount: str, source: str | None = None, currency: str = "EUR") -> Spend:
    money = Money.of(Decimal(amount), currency, amount)
    return Spend(id=id, day=after(day).date(), amount=money, updated_at=VERSION, source=source)


def reported(books: Books, as_of: datetime | None = None) -> Report:
    with TemporaryDirectory() as folder, Store.open(Path(folder) / "holdwater.db") as store:
        for connection, records in books.by_connection().items():
            store.keep(connection, Page("any", records))
        for connection, moment in books.watermarks.items():
            store.keep(connection, Page("any", [], moment))
        return report(store, as_of=as_of)


def of_one(*records: Lead | Deal | Customer | Spend, watermark: float | None = None) -> Books:
    return Books(
        leads=[("a", record) for record in records if isinstance(record, Lead)],
        deals=[("a", record) for record in records if isinstance(record, Deal)],
        customers=[("a", record) for record in records if isinstance(record, Customer)],
        spend=[("a", record) for record in records if isinstance(record, Spend)],
        watermarks={} if watermark is None else {"a": after(watermark)},
    )


# Against the figures computed one lead after another

moments = st.integers(-5 * 24, 80 * 24).map(lambda hours: after(hours / 24))
connections = st.sampled_from(["a", "b"])
sources = st.sampled_from(["email", "social", None])
lead_ids = st.sampled_from(["1", "2", "3", "4", "unknown", None])
persons = st.sampled_from(["p", "q", "r", "", None])


def records(kind: Callable[..., Any], max_size: int, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    one = st.tuples(connections, st.builds(kind, updated_at=st.just(VERSION), **fields))
    return st.lists(one, max_size=max_size, unique_by=lambda pair: (pair[0], pair[1].id))


ids = st.integers(1, 12).map(str)
everything = st.builds(
    Books,
    leads=records(Lead, 12, id=ids, created_at=moments, source=sources, person=persons),
    deals=records(
        Deal,
        12,
        id=ids,
        status=st.sampled_from(["won", "won", "lost", "open"]),
        created_at=st.none() | moments,
        closed_at=st.none() | moments,
        lead_id=lead_ids,
    ),
    customers=records(Customer, 6, id=ids, started_at=moments, lead_id=lead_ids | st.none(), person=persons),
    spend=records(
        Spend,
        4,
        id=ids,
        day=moments.map(datetime.date),
        amount=st.integers(0, 10**6).map(lambda minor: Money(minor, "EUR", "")),
        source=sources,
    ),
    watermarks=st.dictionaries(connections, moments),
)


# Without shrinking: at a fifth of a second a report it would go on for minutes.
unshrunk = settings(deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def check(books: Books, asked: datetime | None) -> None:
    found = reported(books, asked)
    as_of = asked or by_hand.latest_moment(books) or found.as_of
    expected = by_hand.report(books, as_of, found.judged_after_days)
    assert by_hand.differences(found, expected) == {}


@given(everything, st.none() | moments)
@settings(unshrunk, max_examples=5, derandomize=True)
def test_figures_equal_those_computed_lead_by_lead(books: Books, asked: datetime | None) -> None:
    check(books, asked)


@pytest.mark.slow
@given(everything, st.none() | moments)
@settings(unshrunk, max_examples=100)
@seed(20261121)
def test_figures_equal_those_computed_lead_by_lead_many_times(books: Books, asked: datetime | None) -> None:
    check(books, asked)


# By hand


def test_an_empty_store_has_no_leads_and_no_rows() -> None:
    found = reported(Books())
    assert (found.total.leads, found.total.customers, found.total.open_leads, found.total.spend) == (0, 0, 0, None)
    assert (found.sources, found.months, found.judged_after_days, found.currency) == ((), (), None, None)
    assert (found.undated_wins, found.unmatched_wins) == (0, 0)
    assert (found.early_spend, found.later_leads, found.latest_lead) == (None, 0, None)


def test_leads_younger_than_the_slowest_tenth_of_wins_are_open() -> None:
    # Won after 0, 10, ..., 100 days: the 90th percentile is 90.
    won = [record for day in range(0, 101, 10) for record in (lead(f"w{day}", 0), deal(f"d{day}", f"w{day}", day))]
    others = [lead("old enough", 10), lead("a day too young", 11)]
    found = reported(of_one(*won, *others))
    assert (found.as_of, found.judged_after_days) == (after(100), 90.0)
    assert (found.total.leads, found.total.judged_leads, found.total.open_leads) == (13, 12, 1)
    assert (found.total.customers, found.total.judged_customers) == (11, 11)
    assert found.total.days_to_win_median == 50.0


def test_a_young_customer_is_a_customer_and_not_yet_judged() -> None:
    found = reported(of_one(lead("1", 0), deal("1", "1", 60), lead("2", 59), deal("2", "2", 60)))
    assert (found.total.customers, found.total.judged_customers, found.total.judged_leads) == (2, 1, 1)


def test_nobody_is_judged_before_the_first_win() -> None:
    found = reported(of_one(lead("1", 0), lead("2", 300)))
    assert (found.judged_after_days, found.total.judged_leads, found.total.open_leads) == (None, 0, 2)


def test_several_wins_of_one_lead_are_one_customer_won_at_the_first() -> None:
    found = reported(of_one(lead("1", 0), deal("1", "1", 9), deal("2", "1", 4.5), customer("1", "1", 7)))
    assert (found.total.customers, found.total.days_to_win_median, found.undated_wins) == (1, 4.5, 0)


def test_lost_and_open_deals_make_no_customer() -> None:
    found = reported(of_one(lead("1", 0), deal("1", "1", 9, "lost"), deal("2", "1", 9, "open")))
    assert (found.total.leads, found.total.customers) == (1, 0)


@pytest.mark.parametrize(
    ("won_day", "days", "undated"),
    [
        pytest.param(None, None, 1, id="no date"),
        pytest.param(8.5, None, 1, id="two days before"),
        pytest.param(9.5, None, 1, id="a whole day before"),
        pytest.param(10.0, 0.0, 0, id="midnight of the same day"),
        pytest.param(10.5, 0.0, 0, id="at once"),
        pytest.param(10.75, 0.25, 0, id="six hours later"),
    ],
)
def test_a_win_without_a_usable_date_counts_outside_the_days_to_win(
    won_day: float | None, days: float | None, undated: int
) -> None:
    found = reported(of_one(lead("1", 10.5), deal("1", "1", won_day), lead("2", 20)))
    assert (found.total.customers, found.total.days_to_win_median, found.undated_wins) == (1, days, undated)


def test_a_win_dated_after_all_the_crm_has_seen_is_undated() -> None:
    found = reported(of_one(lead("1", 0), deal("1", "1", 400), watermark=30))
    assert (found.as_of, found.total.customers, found.undated_wins) == (after(30), 1, 1)


def test_an_open_deal_due_next_year_does_not_move_the_moment() -> None:
    assert reported(of_one(lead("1", 0), deal("1", "1", 400, "open"))).as_of == START


def test_a_year_mistyped_does_not_move_the_moment_past_now() -> None:
    found = reported(of_one(lead("1", 0), deal("1", "1", 300_000)))
    assert found.as_of < datetime.now(UTC) + timedelta(minutes=1)
    assert (found.total.customers, found.undated_wins) == (1, 1)


def test_an_earlier_moment_leaves_out_what_came_later() -> None:
    books = of_one(lead("1", 0), deal("1", "1", 20), lead("2", 12), deal("x", "nobody", 20), spend("1", 11, "5"))
    then = reported(books, after(10))
    assert (then.total.leads, then.total.customers, then.unmatched_wins, then.total.spend) == (1, 0, 0, None)
    assert (then.later_leads, then.latest_lead) == (1, date(2026, 1, 1))
    assert reported(books, after(11)).total.spend == 5.0
    assert (reported(books).later_leads, reported(books).latest_lead) == (0, date(2026, 1, 13))


def test_leads_dated_after_the_last_sync_are_counted_apart() -> None:
    found = reported(of_one(lead("1", 0), lead("2", 30), lead("3", 31), lead("4", 3_650), watermark=30))
    assert (found.total.leads, found.later_leads, found.latest_lead) == (2, 2, date(2026, 1, 31))


def test_the_latest_lead_stands_by_its_day_in_utc() -> None:
    night = datetime.fromisoformat("2026-03-01T00:30:00+02:00")
    found = reported(of_one(Lead(id="1", created_at=night.astimezone(UTC), updated_at=VERSION)), night)
    assert (found.total.leads, found.latest_lead) == (1, date(2026, 2, 28))


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    books = of_one(lead("1", 0), deal("1", "1", 20))
    elsewhere = after(20).astimezone(datetime.strptime("+0530", "%z").tzinfo)
    assert reported(books, elsewhere) == reported(books, after(20))
    with pytest.raises(HoldwaterError, match="no time zone"):
        reported(books, after(20).replace(tzinfo=None))


def test_leads_without_a_source_never_meet_spend_without_one() -> None:
    found = reported(of_one(lead("1", 0), lead("2", 0, "email"), lead("3", 0), deal("1", "3", 1), spend("1", 0, "7")))
    assert [(row.source, row.unsourced, row.leads, row.customers, row.spend) for row in found.sources] == [
        (None, False, 2, 1, None),
        ("email", False, 1, 0, None),
        (None, True, 0, 0, 7.0),
    ]
    assert found.total.spend == 7.0


def test_unsourced_spend_stands_last_even_behind_sources_without_leads() -> None:
    found = reported(of_one(spend("1", 0, "7"), spend("2", 0, "1", "fair"), spend("3", 0, "2", "air")))
    assert [(row.source, row.unsourced) for row in found.sources] == [("air", False), ("fair", False), (None, True)]


def test_sources_and_months_with_spend_alone_have_their_row() -> None:
    found = reported(
        of_one(
            lead("1", 0, "email"),
            lead("2", 60, "email"),
            spend("1", 40, "0.10", "fair"),
            spend("2", 41, "0.20", "fair"),
            spend("3", 59, "0"),
        )
    )
    assert [(row.source, row.leads, row.spend) for row in found.sources] == [
        ("email", 2, None),
        ("fair", 0, 0.3),
        (None, 0, 0.0),
    ]
    assert [(row.month, row.leads, row.spend) for row in found.months] == [
        (date(2026, 1, 1), 1, None),
        (date(2026, 2, 1), 0, 0.3),
        (date(2026, 3, 1), 1, 0.0),
    ]
    assert (found.total.spend, found.currency) == (0.3, "EUR")


def test_spend_before_the_month_of_the_first_lead_stands_apart() -> None:
    found = reported(
        of_one(
            lead("1", 45, "email"),
            lead("2", 90, "email"),
            spend("1", 0, "100", "email"),
            spend("2", 30, "10.50"),  # 31 January
            spend("3", 31, "2", "email"),  # 1 February: before the first lead, within its month
            spend("4", 60, "3", "email"),
        )
    )
    assert (found.total.spend, found.early_spend) == (5.0, 110.5)
    assert [(row.source, row.unsourced, row.spend) for row in found.sources] == [("email", False, 5.0)]
    assert [(row.month, row.leads, row.spend) for row in found.months] == [
        (date(2026, 2, 1), 1, 2.0),
        (date(2026, 3, 1), 0, 3.0),
        (date(2026, 4, 1), 1, None),
    ]


def test_early_spend_alone_keeps_its_currency() -> None:
    found = reported(of_one(lead("1", 45), spend("1", 0, "1500", currency="JPY")))
    assert (found.total.spend, found.early_spend, found.currency) == (None, 1500.0, "JPY")


def test_without_a_lead_all_spend_counts() -> None:
    books = of_one(lead("1", 45), spend("1", 0, "7"), spend("2", 31, "1"))
    then = reported(books, after(40))  # the one lead comes later
    assert (then.total.leads, then.total.spend, then.early_spend, then.later_leads) == (0, 8.0, None, 1)
    assert (reported(books).total.spend, reported(books).early_spend) == (1.0, 7.0)


def test_spend_in_a_currency_without_cents() -> None:
    found = reported(of_one(lead("1", 1), spend("1", 0, "1500", currency="JPY")))
    assert (found.total.spend, found.currency) == (1500.0, "JPY")


def test_several_currencies_of_spend_are_refused_by_name() -> None:
    books = of_one(
        lead("1", 5), spend("1", 0, "1"), spend("2", 0, "1", currency="BRL"), spend("3", 9, "1", currency="USD")
    )
    with pytest.raises(ExportError, match=r"several currencies \(BRL, EUR\)"):
        reported(books)


def test_a_win_meets_only_the_leads_of_its_own_connection() -> None:
    books = Books(
        leads=[("a", lead("1", 0)), ("b", lead("1", 0))], deals=[("a", deal("1", "1", 5)), ("c", deal("1", "1", 5))]
    )
    found = reported(books)
    assert (found.total.leads, found.total.customers, found.unmatched_wins) == (2, 1, 1)


def test_a_won_deal_without_a_known_lead_is_counted_apart() -> None:
    found = reported(of_one(lead("1", 0), deal("1", None, 5), deal("2", "gone", 5), deal("3", None, 5, "lost")))
    assert (found.total.customers, found.unmatched_wins) == (0, 2)


def test_microseconds_and_months_survive_the_way_into_duckdb() -> None:
    last = datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    one = Lead(id="1", created_at=last, updated_at=VERSION)
    won = Deal(
        id="1",
        status="won",
        created_at=None,
        updated_at=VERSION,
        lead_id="1",
        closed_at=last + timedelta(microseconds=1),
    )
    found = reported(of_one(one, won))
    assert [row.month for row in found.months] == [date(2026, 1, 1)]
    assert found.total.days_to_win_median == pytest.approx(1e-6 / 86_400, rel=1e-9)


def test_neither_pandas_nor_pyarrow_nor_numpy_is_needed(tmp_path: Path) -> None:
    program = """
        import sys
        for name in ("numpy", "pandas", "pyarrow"):
            sys.modules[name] = None
        from holdwater.metrics.reporting import report
        from holdwater.store.database import Store
        with Store.open(sys.argv[1]) as store:
            print(report(store).total.leads)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "holdwater.db")]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "0\n"
