"""Syncing again over real HTTP: only the overlap is read, nothing changes, a change arrives."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.sandbox import Business, Sandbox, serve, simulate
from holdwater.store.database import Store
from holdwater.store.sync import sync


def connected(sandbox: Sandbox) -> HubSpot:
    return HubSpot(Client(sandbox.url, Token(sandbox.token, "the sandbox")))


def in_the_overlap(business: Business) -> int:
    """Contacts and deals changed in the ten minutes before now."""
    since = business.now - timedelta(minutes=10)
    moments = [c.modified for c in business.contacts.values()] + [d.modified for d in business.deals.values()]
    return sum(moment >= since for moment in moments)


def test_a_second_sync_reads_only_the_overlap_and_changes_nothing(tmp_path: Path) -> None:
    business = simulate(months=6)
    with serve(business) as sandbox, Store.open(tmp_path / "store.db") as store:
        with connected(sandbox) as hubspot:
            first = sync(hubspot, store)
        before = store.checksum()
        requests = len(sandbox.requests)
        with connected(sandbox) as hubspot:
            second = sync(hubspot, store)
        assert first.rows_read >= len(business.contacts) + len(business.deals)
        assert second.rows_written == 0
        assert store.checksum() == before
        assert second.streams["leads"] + second.streams["deals"] == in_the_overlap(business)
        # The account, owners twice, pipelines; of six types a search and the archived; contacts and past of few.
        assert len(sandbox.requests) - requests <= 4 + 6 * 2 + 4

        deal = next(d for d in business.deals.values() if d.status == "open")
        business.win(deal.id, business.wait_until(business.now + timedelta(hours=2)))
        with connected(sandbox) as hubspot:
            third = sync(hubspot, store)
        assert third.rows_written >= 1
        assert store.checksum() != before


def test_two_accounts_in_one_store_stay_apart(tmp_path: Path) -> None:
    """Another token may open another account at the same address: its sync starts from nothing, beside the first."""
    one, other = simulate(months=2, seed=1), simulate(months=2, seed=2)
    with Store.open(tmp_path / "store.db") as store:
        for business, portal_id in ((one, 11), (other, 22), (one, 11)):
            with serve(business, portal_id=portal_id) as sandbox, connected(sandbox) as hubspot:
                last = sync(hubspot, store)
        assert store.connections() == ["hubspot:11", "hubspot:22"]
        assert (last.rows_written, last.streams["leads"] + last.streams["deals"]) == (0, in_the_overlap(one))
        for table, kept in (("lead", [*one.contacts, *other.contacts]), ("deal", [*one.deals, *other.deals])):
            ids = [row[0] for rows in store.rows(table, ["id"]) for row in rows]
            assert sorted(ids) == sorted(kept)
