"""As many records are listed behind a figure as it counts, whatever the figure and the records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from random_books import NOW, books

from holdwater.crm.connector import Page
from holdwater.crm.records import Customer, Deal, Lead
from holdwater.metrics.figures import Figures
from holdwater.metrics.records import COMINGS, LEADS, customers_behind, leads_behind, losses_behind
from holdwater.metrics.reporting import report
from holdwater.store.database import Store

FIELDS = {
    "Leads": "leads", "Customers": "customers", "Judged leads": "judged_leads", "Judged customers": "judged_customers",
    "Too young": "open_leads",
}  # fmt: skip
DAY = datetime(2026, 3, 5, 9, tzinfo=UTC)


@pytest.mark.repeats
@pytest.mark.parametrize(("seed", "as_of"), [(2, NOW), (3, NOW), (4, NOW - timedelta(days=100))])
def test_every_count_has_its_records(tmp_path: Path, seed: int, as_of: datetime) -> None:
    with Store.open(tmp_path / "holdwater.db") as store:
        store.keep("a", Page("any", books(seed, leads=40)))
        found = report(store, as_of=as_of)

        def right(header: str, figures: Figures, **which: object) -> bool:
            records = leads_behind(store, header, as_of, **which)  # type: ignore[arg-type]  # source or month
            return bool(len(set(records)) == len(records) == getattr(figures, FIELDS[header]))

        assert set(FIELDS) < set(LEADS)
        for source in found.sources[:2]:
            if not source.unsourced:
                assert all(right(header, source, source=source.source) for header in FIELDS)
        busiest = max(found.months, key=lambda row: row.leads)
        assert all(right(header, busiest, month=busiest.month) for header in FIELDS)
        month = max(found.customer_months, key=lambda row: row.lost)
        expected = (month.new, month.lost, month.churned.of, month.churned.count)
        behind = [len(customers_behind(store, header, as_of, month.month)) for header in COMINGS]
        assert tuple(behind) == expected
        for lost in found.lost_reasons:
            assert len(losses_behind(store, lost.reason, as_of)) == lost.deals.count


def test_records_are_named_by_their_connection_and_id(tmp_path: Path) -> None:
    with Store.open(tmp_path / "holdwater.db") as store:
        lead = Lead(id="7", created_at=DAY, updated_at=DAY, source=None)
        deal = Deal(id="9", lead_id="7", status="won", created_at=DAY, updated_at=DAY, closed_at=DAY)
        customer = Customer(id="5", lead_id="7", started_at=DAY, updated_at=DAY, ended_at=DAY + timedelta(days=40))
        store.keep("hubspot:1", Page("any", [lead, deal, customer]))
        now = DAY + timedelta(days=60)
        (found,) = leads_behind(store, "Customers", now)
        assert found[:3] == ("hubspot:1", "leads", "7")
        (left,) = customers_behind(store, "Lost", now, datetime(2026, 4, 1, tzinfo=UTC).date())
        assert left == ("hubspot:1", "customers", "5", (DAY + timedelta(days=40)).date())
        assert leads_behind(store, "Too young", now) == []
