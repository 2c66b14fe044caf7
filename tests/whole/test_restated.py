"""A change to last year's numbers in a CRM: caught at refresh, told with its record, and written only if allowed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from engines import values

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.errors import RestatedError
from holdwater.metrics.reporting import report
from holdwater.sandbox import Business, Sandbox, serve, simulate
from holdwater.store.database import Store
from holdwater.store.sync import sync
from holdwater.workbook.package import Package
from holdwater.workbook.refresh import refresh
from holdwater.workbook.restated import close_books, records_behind
from holdwater.workbook.template import write_template


def synced(sandbox: Sandbox, store: Path) -> None:
    with Store.open(store) as opened, HubSpot(Client(sandbox.url, Token(sandbox.token, "the sandbox"))) as hubspot:
        sync(hubspot, opened)


def refreshed(book: Path, store: Path, business: Business, *, accept: bool = False) -> None:
    with Store.open(store) as opened:
        figures = report(opened, as_of=business.now)
    refresh(
        book, figures, origin="a test", now=business.now, accept_restated=accept, behind=records_behind(store)
    )  # fmt: skip


@pytest.mark.slow
def test_a_win_that_is_taken_back_is_caught(tmp_path: Path) -> None:
    business = simulate(months=6)
    book, store = tmp_path / "leads.xlsx", tmp_path / "store.db"
    write_template(book)
    closed = business.now.date().replace(day=1) - timedelta(days=60)
    with serve(business) as sandbox:
        synced(sandbox, store)
        refreshed(book, store, business)
        package = Package.open(book)
        close_books(package, date(closed.year, closed.month, 1))
        package.save()
        refreshed(book, store, business)  # nothing has changed: nothing to ask

        month, deal = next(
            (contact.created, deal)
            for deal in business.deals.values()
            if deal.status == "won" and deal.contact_id is not None
            for contact in [business.contacts[deal.contact_id]]
            if contact.created.date() < closed.replace(day=1)
            and sum(one.contact_id == contact.id for one in business.deals.values()) == 1
        )
        now = business.wait_until(business.now + timedelta(hours=2))
        business.deals[deal.id] = replace(deal, status="lost", modified=now)
        stage = next(s.id for s in business.stages if s.status == "lost")
        history = (*deal.stage_history[:-1], (deal.stage_history[-1][0], stage))  # lost on the day it had been won
        business.deals[deal.id] = replace(business.deals[deal.id], stage_history=history)
        synced(sandbox, store)

        before = book.read_bytes()
        with pytest.raises(RestatedError) as caught:
            refreshed(book, store, business)
        told = str(caught.value)
        assert f"{month:%Y-%m} Customers" in told
        assert f"deal {deal.id} is lost" in told
        assert "--accept-restated" in told
        assert book.read_bytes() == before

        refreshed(book, store, business, accept=True)
    log = [str(value) for value in values(book, "Log").values()]
    assert "restated" in log
    assert any(f"deal {deal.id} is lost" in line for line in log)
    assert datetime.now(UTC) > business.start
