"""Pipedrive's own client, which nobody here wrote, reads the sandbox under Node: every field is the business's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from holdwater.sandbox import Sandbox, Source, Truth, simulate
from holdwater.sandbox.pipedrive import Pipedrive
from holdwater.sandbox.records import Contact, Deal
from holdwater.sandbox.server import serving

CLIENT = Path(__file__).parents[2] / "build" / "pipedrive"  # .ci/run puts it there
TOKEN = "0123456789abcdef0123456789abcdef01234567"
STAGES = {"qualifiedtobuy": 1, "contractsent": 2}
OLD = timedelta(days=60)
SINCE = "2026-10-01T00:00:00Z"


def lacking(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"CI installs {what}; it is not there")
    pytest.skip(f"{what} is not there; .ci/run says how to install it")


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        lacking("Node")
    if not (CLIENT / "node_modules" / "pipedrive").is_dir():
        lacking("Pipedrive's client")
    return str(found)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """With some of everything: deals and leads old and new, won, lost, deleted, changed at once; a merged contact."""
    source = Source(name="PAID_SEARCH", leads_per_month=40, conversion=0.3, days_to_win=10)
    truth = Truth(sources=(source,), churn=0.1, referral_rate=0.0, revenue_per_customer=Decimal(50), gross_margin=0.5)
    business = simulate(truth, seed=3, months=3)
    gone, *_, late = [deal for deal in business.deals.values() if deal.status == "won"]
    business.archive_deal(gone.id)
    first, second = [contact.id for contact in business.contacts.values() if not business.deals_of[contact.id]][:2]
    business.merge_contacts(first, second)
    business.open_deal(None)
    business.archive_contact(second)
    business.wait_until(business.now + timedelta(days=25, seconds=0.5))
    business.archive_deal(late.id)
    business.open_deal(business.add_contact(source="PAID_SOCIAL", opted_out=True).id)
    for deal in list(business.deals.values())[-30:-10]:
        business.deals[deal.id] = replace(deal, modified=business.now)
    with serving(business, TOKEN, Pipedrive(business, token=TOKEN)) as running:
        yield running


@pytest.fixture(scope="module")
def found(node: str, sandbox: Sandbox) -> dict[str, Any]:
    """All that the client reads, in one go: to start it takes seconds."""
    done = subprocess.run(
        [node, str(Path(__file__).with_name("read_pipedrive.mjs")), str(CLIENT), sandbox.url],
        env={**os.environ, "PIPEDRIVE_TOKEN": TOKEN, "PIPEDRIVE_SINCE": SINCE},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def deal_fields(deal: Deal, channels: dict[str, int]) -> dict[str, Any]:
    moves = [at for at, stage in deal.stage_history[1:] if stage in STAGES]
    ended = deal.closed and text(deal.closed)
    return {
        "id": int(deal.id),
        "title": f"Simulated deal {deal.id}",
        "owner_id": int(deal.owner_id),
        "person_id": int(deal.contact_id) if deal.contact_id else None,
        "org_id": None,
        "pipeline_id": 1,
        "stage_id": [STAGES[stage] for _, stage in deal.stage_history if stage in STAGES][-1],
        "value": float(deal.amount),
        "currency": "USD",
        "add_time": text(deal.created),
        "update_time": text(deal.modified),
        "stage_change_time": text(moves[-1]) if moves else None,
        "status": "deleted" if deal.archived else deal.status,
        "is_deleted": deal.archived is not None,
        "lost_reason": deal.lost_reason,
        "close_time": ended,
        "won_time": ended if deal.status == "won" else None,
        "lost_time": ended if deal.status == "lost" else None,
        "expected_close_date": f"{deal.expected_close:%Y-%m-%d}",
        "channel": channels[deal.source] if deal.source else None,
        "custom_fields": {},
    }


def lead_fields(contact: Contact, channels: dict[str, int]) -> dict[str, Any]:
    added, changed = (
        f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z" for at in (contact.created, contact.modified)
    )
    return {
        "owner_id": int(contact.owner_id),
        "person_id": int(contact.id),
        "organization_id": None,
        "channel": channels[contact.source] if contact.source else None,
        "add_time": added,
        "update_time": changed,
    }


def check(row: dict[str, Any], fields: dict[str, Any]) -> None:
    assert {name: row[name] for name in fields} == fields


def test_the_client_pages_everything_out(found: dict[str, Any], sandbox: Sandbox) -> None:
    business = sandbox.business
    (channels,) = ({one["label"]: one["id"] for one in row["options"]} for row in found["fields"] if row["options"])
    assert set(channels) == {"PAID_SEARCH", "PAID_SOCIAL"}

    deals = list(business.deals.values())
    old = [one for one in deals if not one.archived and one.status != "open" and one.modified < business.now - OLD]
    lists = {
        "deals": [one for one in deals if not one.archived and one not in old],
        "archivedDeals": old,
        "deletedDeals": [one for one in deals if one.archived],
    }
    for name, expected in lists.items():
        assert [row["id"] for row in found[name]] == [int(deal.id) for deal in expected], name
        assert expected
        for row, deal in zip(found[name], expected, strict=True):
            check(row, deal_fields(deal, channels) | {"is_archived": name == "archivedDeals"})
    assert all(bool(row["source_lead_id"]) == bool(row["person_id"]) for row in found["deals"])

    contacts = [contact for contact in business.contacts.values() if not contact.archived]
    for row, contact in zip(found["persons"], contacts, strict=True):
        allowed = {None: "no_consent", "consent": "subscribed", "legitimate_interest": "no_consent"}
        expected_row = {
            "id": int(contact.id),
            "name": f"Simulated lead {contact.id}",
            "owner_id": int(contact.owner_id),
            "add_time": text(contact.created),
            "update_time": text(contact.modified),
            "emails": [{"value": f"simulated.lead.{contact.id}@example.com", "primary": True, "label": "work"}],
            "is_deleted": False,
            "marketing_status": "unsubscribed" if contact.opted_out else allowed[contact.legal_basis],
        }
        check(row, expected_row)

    inbox = [contact for contact in contacts if not business.deals_of[contact.id]]
    for name, archived in (("leads", False), ("archivedLeads", True)):
        kept = [one for one in inbox if (one.modified < business.now - OLD) is archived]
        assert kept
        for row, contact in zip(found[name], kept, strict=True):
            check(row, lead_fields(contact, channels) | {"is_archived": archived})
    assert len({row["id"] for row in found["leads"] + found["archivedLeads"]}) == len(inbox)

    activities = [one for one in business.activities.values() if one.direction == "out"]
    assert len(activities) > 80  # three pages
    for row, activity in zip(found["activities"], activities, strict=True):
        expected_row = {
            "id": int(activity.id),
            "type": activity.kind,
            "done": True,
            "owner_id": int(activity.owner_id),
            "person_id": int(activity.contact_id),
            "add_time": text(activity.created),
            "update_time": text(activity.modified),
            "marked_as_done_time": text(activity.at),
        }
        check(row, expected_row)


def test_the_client_finds_every_change_of_a_deal(found: dict[str, Any], sandbox: Sandbox) -> None:
    business = sandbox.business
    changelogs = found["changelogs"]
    assert len(changelogs) == len([deal for deal in business.deals.values() if not deal.archived])
    for id_, entries in changelogs.items():
        history = business.deals[id_].stage_history
        for field, expected in (
            ("stage_id", [(at, str(STAGES[stage])) for at, stage in history[1:] if stage in STAGES]),
            ("status", [(at, stage.removeprefix("closed")) for at, stage in history if stage not in STAGES]),
        ):
            told = [(one["time"], one["new_value"]) for one in entries if one["field_key"] == field]
            assert told == [(f"{at:%Y-%m-%d %H:%M:%S}", value) for at, value in expected[::-1]]


def test_the_client_finds_what_changed_since(found: dict[str, Any], sandbox: Sandbox) -> None:
    """In the other direction, and in pages that cut through equal moments."""
    shown = [deal for deal in sandbox.business.deals.values() if not deal.archived and text(deal.modified) >= SINCE]
    expected = sorted(shown, key=lambda deal: (text(deal.modified), int(deal.id)), reverse=True)
    assert len(expected) > 30
    assert len({deal.modified for deal in expected}) < len(expected) - 10
    assert [row["id"] for row in found["changed"]] == [int(deal.id) for deal in expected]


def test_the_client_finds_the_firm(found: dict[str, Any], sandbox: Sandbox) -> None:
    business = sandbox.business
    assert (found["me"]["id"], found["me"]["company_id"]) == (int(business.owners[0].id), 54235233)
    for row, owner in zip(found["users"], business.owners, strict=True):
        legacy = f"{owner.modified:%Y-%m-%d %H:%M:%S}"
        expected = {"id": int(owner.id), "name": owner.name, "email": owner.email, "modified": legacy}
        check(row, expected | {"active_flag": not owner.archived})
    (pipeline,) = found["pipelines"]
    assert (pipeline["id"], pipeline["name"]) == (1, business.pipeline.label)
    stages = [stage for stage in business.stages if stage.id in STAGES]
    for row, stage in zip(found["stages"], stages, strict=True):
        expected = {"id": STAGES[stage.id], "name": stage.label, "order_nr": stage.position, "pipeline_id": 1}
        check(row, expected | {"deal_probability": stage.probability * 100, "is_deleted": False})
    assert {"name": "API"} in found["leadSources"]


def test_the_client_is_refused(found: dict[str, Any]) -> None:
    """With another token, and where it asks for a fraction of a second."""
    for name, status in (("strangerRefused", 401), ("fractionRefused", 400)):
        assert (found[name]["errorCode"], found[name]["success"]) == (status, False)
