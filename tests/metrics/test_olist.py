"""8,000 real leads, from the files as people pass them on to the figures."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import by_hand
import customers_by_hand
import pytest
from by_hand import Books

from holdwater.crm.files import Exports
from holdwater.crm.records import Deal, Lead, Record
from holdwater.metrics.reporting import report
from holdwater.store.database import Store
from holdwater.store.sync import sync

MAPPING = Path(__file__).parents[1] / "crm" / "fixtures" / "olist.toml"
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


@pytest.fixture(scope="module")
def funnel(olist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("olist") / "holdwater.db") as store:
        sync(Exports(olist, MAPPING), store)
        yield store


def column(file: Path, key: str, name: str, form: str) -> dict[str, datetime]:
    with file.open(encoding="utf-8-sig", newline="") as rows:
        return {
            # A date without a time is told by midnight UTC.
            row[key]: datetime.strptime(row[name], form).replace(tzinfo=SAO_PAULO if "%H" in form else UTC)
            for row in csv.DictReader(rows)
        }


def test_leads_and_customers_of_each_origin(funnel: Store) -> None:
    found = report(funnel)
    assert (found.total.leads, found.total.customers) == (8_000, 842)
    assert found.total.customers / found.total.leads == pytest.approx(0.10525)
    by_source = {row.source: (row.leads, row.customers) for row in found.sources}
    assert (
        by_source
        | {
            "organic_search": (2_296, 271),
            "paid_search": (1_586, 195),
            "social": (1_350, 75),
            "unknown": (1_099, 179),
            "email": (493, 15),
            None: (60, 14),
        }
        == by_source
    )
    for rows in (found.sources, found.months):
        assert (sum(row.leads for row in rows), sum(row.customers for row in rows)) == (8_000, 842)
    assert (found.undated_wins, found.unmatched_wins) == (1, 0)  # one was won two days before the first contact
    assert (found.currency, found.total.spend) == (None, None)


def test_days_to_win_and_the_leads_they_judge(funnel: Store, olist: Path) -> None:
    contacts = column(olist / "olist_marketing_qualified_leads_dataset.csv", "mql_id", "first_contact_date", "%d-%m-%Y")
    wins = column(olist / "olist_closed_deals_dataset.csv", "mql_id", "won_date", "%d-%m-%Y %H:%M")
    as_of = datetime(2018, 6, 30, 12, tzinfo=UTC)
    contacts = {id: at for id, at in contacts.items() if at <= as_of}
    won = {id: (at - contacts[id]).total_seconds() / 86_400 for id, at in wins.items() if at <= as_of}
    days = [value for value in won.values() if value > 0]
    limit = statistics.quantiles(days, n=10, method="inclusive")[8]
    old = {id for id, at in contacts.items() if (as_of - at).total_seconds() / 86_400 >= limit}

    found = report(funnel, as_of=as_of)
    assert (found.total.leads, found.total.customers) == (len(contacts), len(won))
    assert found.judged_after_days == pytest.approx(limit, rel=1e-12)
    assert found.total.days_to_win_median == pytest.approx(statistics.median(days), rel=1e-12)
    assert (found.total.judged_leads, found.total.judged_customers) == (len(old), len(old & set(won)))
    assert 0 < found.total.judged_leads < found.total.leads


def test_every_figure_equals_the_one_computed_lead_by_lead(funnel: Store) -> None:
    def moment(text: str | None) -> datetime | None:
        return None if text is None else datetime.fromisoformat(text)

    version, books = datetime(2026, 6, 1, tzinfo=UTC), Books()
    for rows in funnel.rows("lead", ["id", "created_at", "source"]):
        books.leads += [
            ("olist", Lead(id=id, created_at=datetime.fromisoformat(at), updated_at=version, source=source))
            for id, at, source in rows
        ]
    for rows in funnel.rows("deal", ["id", "lead_id", "status", "closed_at"]):
        books.deals += [
            ("olist", Deal(id=id, lead_id=lead, status=how, created_at=None, updated_at=version, closed_at=moment(at)))
            for id, lead, how, at in rows
        ]
    as_of = datetime(2018, 10, 31, 12, tzinfo=UTC)
    found = report(funnel, as_of=as_of)
    assert by_hand.differences(found, by_hand.report(books, as_of, found.judged_after_days)) == {}
    records: list[Record] = [*(lead for _, lead in books.leads), *(deal for _, deal in books.deals)]
    for name, expected in customers_by_hand.figures(records, as_of, found.judged_after_days).items():
        assert customers_by_hand.same(getattr(found, name), expected), name


def test_a_second_sync_leaves_the_store_as_it_was(funnel: Store, olist: Path) -> None:
    before = funnel.checksum()
    run = sync(Exports(olist, MAPPING), funnel)
    assert (run.rows_read, run.rows_written, funnel.checksum()) == (8_842, 0, before)
