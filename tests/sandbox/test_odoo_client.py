"""Odoo's own client, which nobody here wrote, reads the sandbox: every field is what the business says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from holdwater.sandbox import Business, Sandbox
from holdwater.sandbox.odoo import serve_odoo
from holdwater.sandbox.records import Contact, Deal

odoolib = pytest.importorskip("odoolib")

KEY = "d4b2a1908f7e6d5c4b3a29180706f5e4d3c2b1a0"
STAGES = {"qualifiedtobuy": 1, "contractsent": 2, "closedwon": 4}
ALL = {"active_test": False}
FIELDS = [
    "name", "type", "active", "won_status", "probability", "stage_id", "user_id", "partner_id", "source_id",
    "lost_reason_id", "company_currency", "expected_revenue", "contact_name", "email_from", "date_closed",
    "create_date", "write_date",
]  # fmt: skip


def text(moment: datetime | None) -> str | bool:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else False


@pytest.fixture
def business(small: Business) -> Business:
    """With one of everything: archived inquiries, a deleted deal, merged partners and merged inquiries."""
    won = [deal for deal in small.deals.values() if deal.status == "won"]
    inquiries = [one.id for one in small.contacts.values() if one.lifecycle == "lead"]
    small.archive_deal(won[0].id)
    small.archive_contact(inquiries[0])
    small.merge_contacts(inquiries[1], inquiries[2])
    small.merge_contacts(str(won[1].contact_id), str(won[2].contact_id))
    small.open_deal(None)
    return small


@pytest.fixture
def sandbox(business: Business) -> Iterator[Sandbox]:
    with serve_odoo(business, token=KEY) as running:
        yield running


@pytest.fixture
def model(sandbox: Sandbox) -> Callable[..., Any]:
    def connected(name: str, key: str = KEY, database: str = "simulated") -> Any:
        port = int(sandbox.url.rpartition(":")[2])
        connection = odoolib.get_connection(
            hostname="127.0.0.1", protocol="json2", port=port, database=database, password=key
        )
        return connection.get_model(name)

    return connected


def everything(model: Any, fields: list[str], *, context: dict[str, Any] | None = None) -> dict[int, dict[str, Any]]:
    """By offset, as a client does that trusts nothing will change."""
    found: dict[int, dict[str, Any]] = {}
    asked = {"domain": [], "fields": fields, "order": "id", "context": ALL if context is None else context}
    while rows := model.search_read(limit=40, offset=len(found), **asked):
        assert not found or rows[0]["id"] > max(found)
        found |= {row["id"]: row for row in rows}
    return found


def test_every_lead_is_what_the_business_says(model: Callable[..., Any], business: Business) -> None:
    found = everything(model("crm.lead"), FIELDS)
    merged = {id_: one for one in business.contacts.values() for id_ in one.merged}
    left = dict(found)
    for contact in business.contacts.values():
        if contact.id in merged and contact.lifecycle == "lead":
            assert 2 * int(contact.id) not in found
            continue
        check_inquiry(left.pop(2 * int(contact.id)), contact, merged.get(contact.id), business)
    for deal in business.deals.values():
        if not deal.archived:
            check_deal(left.pop(2 * int(deal.id) + 1), deal, business)
    assert not left
    assert len(found) > 160  # several pages


def check_inquiry(row: dict[str, Any], contact: Contact, winner: Contact | None, business: Business) -> None:
    stays = winner or contact
    is_partner = any(business.contacts[id_].lifecycle != "lead" for id_ in (stays.id, *stays.merged))
    check_common(row, contact, contact, business)
    assert row["partner_id"] == ([int(stays.id), stays.name] if is_partner else False)
    assert row["active"] == (winner is not None or contact.archived is None)
    assert (row["type"], row["won_status"], row["probability"]) == ("lead", "pending", 50.0)
    assert row["stage_id"] == [1, "Simulated qualification"]
    assert (row["expected_revenue"], row["date_closed"], row["lost_reason_id"]) == (0.0, False, False)


def check_deal(row: dict[str, Any], deal: Deal, business: Business) -> None:
    contact = business.contacts[deal.contact_id] if deal.contact_id else None
    check_common(row, deal, contact, business)
    assert row["partner_id"] == ([int(contact.id), contact.name] if contact else False)
    assert row["active"] == (deal.status != "lost")
    assert (row["type"], row["won_status"]) == ("opportunity", {"open": "pending"}.get(deal.status, deal.status))
    assert row["probability"] == {"open": 50.0, "won": 100.0, "lost": 0.0}[deal.status]
    stage = [stage for _, stage in deal.stage_history if stage in STAGES][-1]
    label = next(one.label for one in business.stages if one.id == stage)
    assert row["stage_id"] == [STAGES[stage], label]
    assert (row["expected_revenue"], row["date_closed"]) == (float(deal.amount), text(deal.closed))
    assert (row["lost_reason_id"] or [0, None])[1] == deal.lost_reason


def check_common(row: dict[str, Any], one: Contact | Deal, contact: Contact | None, business: Business) -> None:
    owner = next(owner for owner in business.owners if owner.id == one.owner_id)
    assert (row["name"], row["user_id"]) == (one.name, [int(owner.id), owner.name])
    assert (row["create_date"], row["write_date"]) == (text(one.created), text(one.modified))
    assert (row["source_id"] or [0, None])[1] == one.source
    assert row["company_currency"] == [1, business.truth.currency]
    assert (row["contact_name"], row["email_from"]) == ((contact.name, contact.email) if contact else (False, False))


def test_what_is_archived_is_hidden_unless_asked_for(model: Callable[..., Any], business: Business) -> None:
    shown, found = (everything(model("crm.lead"), ["active"], context=context) for context in ({}, ALL))
    assert shown.keys() == {id_ for id_, row in found.items() if row["active"]}
    lost = sum(1 for deal in business.deals.values() if deal.status == "lost")
    assert len(found) - len(shown) == lost + 1 > 20
    assert model("crm.lead").search_count(domain=[["active", "=", False]]) == lost + 1


def test_every_change_of_a_stage(model: Callable[..., Any], business: Business) -> None:
    fields = ["field_id", "old_value_integer", "new_value_integer", "mail_message_id", "create_date"]
    found = list(everything(model("mail.tracking.value"), fields).values())
    messages = everything(model("mail.message"), ["model", "res_id", "subject"])
    told = [
        (
            messages[row["mail_message_id"][0]]["res_id"],
            row["create_date"],
            row["old_value_integer"],
            row["new_value_integer"],
        )
        for row in found
    ]
    expected = []
    for deal in business.deals.values():
        stages = [(at, STAGES[stage]) for at, stage in deal.stage_history if stage in STAGES]
        if not deal.archived:
            expected += [(2 * int(deal.id) + 1, text(at), old, new) for (_, old), (at, new) in pairwise(stages)]
    assert told == expected
    assert {row["field_id"][1] for row in found} == {"Stage (crm.lead)"}
    assert {(row["model"], row["subject"]) for row in messages.values()} == {("crm.lead", False)}


def test_users_stages_and_partners(model: Callable[..., Any], business: Business) -> None:
    users = everything(model("res.users"), ["name", "login", "active", "share", "create_date", "write_date"])
    for row, owner in zip(users.values(), business.owners, strict=True):
        times = {"create_date": text(owner.created), "write_date": text(owner.modified)}
        named = {"id": int(owner.id), "name": owner.name, "login": owner.email}
        assert row == named | times | {"active": not owner.archived, "share": False}
    stages = everything(model("crm.stage"), ["name", "sequence", "is_won"])
    assert [(row["id"], row["name"], row["sequence"], row["is_won"]) for row in stages.values()] == [
        (STAGES[one.id], one.label, one.position, one.status == "won") for one in business.stages if one.id in STAGES
    ]
    partners = everything(model("res.partner"), ["name", "email"])
    deals = [deal for deal in business.deals.values() if deal.contact_id]
    assert partners.keys() == {int(str(deal.contact_id)) for deal in deals}
    assert all(business.contacts[str(id_)].email == row["email"] for id_, row in partners.items())


def test_reading_by_number_and_describing(model: Callable[..., Any], business: Business) -> None:
    leads = model("crm.lead")
    ids = leads.search(domain=[["won_status", "=", "won"]], order="date_closed desc, id", limit=3)
    closed = [row["date_closed"] for row in leads.read(ids=ids, fields=["date_closed"])]
    assert closed == sorted(closed, reverse=True)
    assert leads.read(ids=[ids[0], 1], fields=["won_status"]) == {"id": ids[0], "won_status": "won"}
    described = leads.fields_get(allfields=["stage_id", "write_date"], attributes=["type", "relation"])
    assert described == {"stage_id": {"type": "many2one", "relation": "crm.stage"}, "write_date": {"type": "datetime"}}


def test_the_client_is_refused(model: Callable[..., Any]) -> None:
    assert not model("res.users", key="another").connection.check_login()
    with pytest.raises(ValueError, match="404"):
        model("crm.stage", database="another").search(domain=[])
    with pytest.raises(ValueError, match="Invalid request"):
        model("crm.stage").search()
    with pytest.raises(ValueError, match="403"):
        model("crm.lead").unlink(ids=[202])
    assert model("res.users").connection.check_login()
