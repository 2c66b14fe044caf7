"""HubSpot's own client, which nobody here wrote, reads the sandbox: every field is what the business says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from holdwater.sandbox import Business, Sandbox, serve
from holdwater.sandbox.records import Activity, Contact, Deal

hubspot = pytest.importorskip("hubspot")


@pytest.fixture(scope="module")
def sandbox(simulated: Business) -> Iterator[Sandbox]:
    with serve(simulated, token="open") as running:
        yield running


@pytest.fixture(scope="module")
def crm(sandbox: Sandbox) -> Any:
    return hubspot.HubSpot(access_token="open", host=sandbox.url).crm


def text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def deal_properties(deal: Deal) -> dict[str, str | None]:
    return {
        "dealname": f"Simulated deal {deal.id}",
        "amount": deal.amount,
        "deal_currency_code": "USD",
        "dealstage": deal.stage_history[-1][1],
        "pipeline": "default",
        "closedate": text(deal.closed or deal.expected_close),
        "createdate": text(deal.created),
        "hs_lastmodifieddate": text(deal.modified),
        "hubspot_owner_id": deal.owner_id,
        "hs_is_closed_won": str(deal.status == "won").lower(),
        "hs_is_closed": str(deal.status != "open").lower(),
        "hs_analytics_source": deal.source,
        "hs_object_id": deal.id,
    }


def contact_properties(contact: Contact) -> dict[str, str | None]:
    return {
        "email": f"simulated.lead.{contact.id}@example.com",
        "createdate": text(contact.created),
        "lastmodifieddate": text(contact.modified),
        "hs_analytics_source": contact.source,
        "lifecyclestage": contact.lifecycle,
        "hubspot_owner_id": contact.owner_id,
        "hs_object_id": contact.id,
        "hs_email_optout": {None: None, True: "true", False: "false"}[contact.opted_out],
        "hs_legal_basis": {
            None: None,
            "consent": "Freely given consent from contact",
            "legitimate_interest": "Legitimate interest \u2013 prospect/lead",
        }[contact.legal_basis],
        "hs_merged_object_ids": None,
    }


def activity_properties(activity: Activity) -> dict[str, str | None]:
    directions = {"call": ("OUTBOUND", "INBOUND"), "email": ("EMAIL", "INCOMING_EMAIL")}[activity.kind]
    return {
        "hs_createdate": text(activity.created),
        "hs_lastmodifieddate": text(activity.modified),
        "hs_timestamp": text(activity.at),
        "hs_object_id": activity.id,
        "hubspot_owner_id": activity.owner_id,
        f"hs_{activity.kind}_direction": directions[activity.direction == "in"],
    }


def check(row: Any, record: Deal | Contact | Activity, properties: dict[str, str | None]) -> None:
    assert row.id == record.id
    assert row.properties == properties
    assert (row.created_at, row.updated_at) == (record.created, record.modified)
    assert row.archived is False


def test_all_deals(crm: Any, sandbox: Sandbox) -> None:
    deals = sandbox.business.deals
    rows = crm.deals.get_all(properties=list(deal_properties(deals["7001"])), associations=["contacts"])
    assert len(rows) == len(deals) > 250
    for row, deal in zip(rows, deals.values(), strict=True):
        check(row, deal, deal_properties(deal))
        (contact,) = row.associations["contacts"].results
        assert (contact.id, contact.type) == (deal.contact_id, "deal_to_contact")
    assert len(sandbox.requests) >= 30


def test_all_contacts(crm: Any, sandbox: Sandbox) -> None:
    contacts = sandbox.business.contacts
    rows = crm.contacts.get_all(properties=list(contact_properties(contacts["101"])))
    assert len(rows) == len(contacts)
    for row, contact in zip(rows, contacts.values(), strict=True):
        check(row, contact, contact_properties(contact))


def pages_of(crm: Any, name: str, properties: list[str]) -> list[Any]:
    api = getattr(crm.objects, name).basic_api
    rows: list[Any] = []
    more: dict[str, str] = {}
    while True:
        page = api.get_page(limit=100, properties=properties, associations=["contacts"], **more)
        rows += page.results
        if not page.paging:
            return rows
        more = {"after": page.paging.next.after}


@pytest.mark.parametrize("kind", ["call", "email"])
def test_all_activities(kind: str, crm: Any, sandbox: Sandbox) -> None:
    activities = [one for one in sandbox.business.activities.values() if one.kind == kind]
    rows = pages_of(crm, f"{kind}s", list(activity_properties(activities[0])))
    assert len(rows) == len(activities) > 1000
    for row, activity in zip(rows, activities, strict=True):
        check(row, activity, activity_properties(activity))
        (contact,) = row.associations["contacts"].results
        assert (contact.id, contact.type) == (activity.contact_id, f"{kind}_to_contact")


@pytest.mark.parametrize("name", ["meetings", "communications"])
def test_an_account_has_types_that_nothing_is_of(name: str, crm: Any) -> None:
    assert pages_of(crm, name, ["hs_timestamp"]) == []


def test_past_values_of_a_page(crm: Any, sandbox: Sandbox) -> None:
    page = crm.deals.basic_api.get_page(limit=50, properties_with_history=["dealstage"])
    assert len(page.results) == 50
    for row in page.results:
        found = [(one.timestamp, one.value) for one in row.properties_with_history["dealstage"]]
        assert found == list(sandbox.business.deals[row.id].stage_history[::-1])


def test_a_search(crm: Any, sandbox: Sandbox) -> None:
    since = datetime(2026, 6, 1, tzinfo=sandbox.business.now.tzinfo)
    expected = {one.id: one for one in sandbox.business.deals.values() if one.modified >= since}
    assert len(expected) > 250
    found: list[Any] = []
    after = "0"
    while after:
        page = crm.deals.search_api.do_search(
            public_object_search_request=hubspot.crm.deals.PublicObjectSearchRequest(
                filter_groups=[
                    {
                        "filters": [
                            {
                                "propertyName": "hs_lastmodifieddate",
                                "operator": "GTE",
                                "value": str(int(since.timestamp() * 1000)),
                            }
                        ]
                    }
                ],
                sorts=["hs_lastmodifieddate"],
                properties=list(deal_properties(next(iter(expected.values())))),
                limit=200,
                after=after,
            )
        )
        assert page.total == len(expected)
        found += page.results
        after = page.paging.next.after if page.paging else ""
    assert sorted(row.id for row in found) == sorted(expected)
    for row in found:
        check(row, expected[row.id], deal_properties(expected[row.id]))


def test_a_batch(crm: Any, sandbox: Sandbox) -> None:
    models = hubspot.crm.contacts
    wanted = list(sandbox.business.contacts)[500:600]
    page = crm.contacts.batch_api.read(
        models.BatchReadInputSimplePublicObjectId(
            inputs=[models.SimplePublicObjectId(id=one) for one in wanted],
            properties=list(contact_properties(sandbox.business.contacts["101"])),
            properties_with_history=[],
        )
    )
    assert page.status == "COMPLETE"
    for row, contact_id in zip(page.results, wanted, strict=True):
        contact = sandbox.business.contacts[contact_id]
        check(row, contact, contact_properties(contact))


def test_associations_old_and_new(crm: Any, sandbox: Sandbox) -> None:
    wanted = list(sandbox.business.deals)[:100]
    old = crm.associations.batch_api.read(
        "deals", "contacts", hubspot.crm.associations.BatchInputPublicObjectId(inputs=[{"id": one} for one in wanted])
    )
    new = crm.associations.v4.batch_api.get_page(
        "deals",
        "contacts",
        hubspot.crm.associations.v4.BatchInputPublicFetchAssociationsBatchRequest(
            inputs=[{"id": one} for one in wanted]
        ),
    )
    expected = {one: str(sandbox.business.deals[one].contact_id) for one in wanted}
    assert {row._from.id: row.to[0].id for row in old.results} == expected
    assert {row._from.id: row.to[0].to_object_id for row in new.results} == expected
    (kind,) = new.results[0].to[0].association_types
    assert (kind.category, kind.type_id, kind.label) == ("HUBSPOT_DEFINED", 3, None)


def test_pipelines_and_owners(crm: Any, sandbox: Sandbox) -> None:
    (pipeline,) = crm.pipelines.pipelines_api.get_all("deals").results
    known = sandbox.business.pipeline
    assert (pipeline.id, pipeline.label, pipeline.archived) == (known.id, known.label, False)
    assert pipeline.created_at == known.created
    for shown, stage in zip(pipeline.stages, known.stages, strict=True):
        assert (shown.id, shown.label, shown.display_order) == (stage.id, stage.label, stage.position)
        closed = str(stage.status in ("won", "lost")).lower()
        assert shown.metadata == {"isClosed": closed, "probability": f"{stage.probability:.1f}"}
    owners = []
    after = None
    while True:
        page = (
            crm.owners.owners_api.get_page(limit=2, after=after) if after else crm.owners.owners_api.get_page(limit=2)
        )
        owners += page.results
        if not page.paging:
            break
        after = page.paging.next.after
    owners += crm.owners.owners_api.get_page(archived=True).results
    for person, owner in zip(owners, sandbox.business.owners, strict=True):
        assert (person.id, person.email, person.archived) == (owner.id, owner.email, owner.archived)
        assert f"{person.first_name} {person.last_name}" == owner.name
        assert (person.created_at, person.updated_at, person.type) == (owner.created, owner.modified, "PERSON")


def test_a_refusal(sandbox: Sandbox) -> None:
    wrong = hubspot.HubSpot(access_token="shut", host=sandbox.url).crm
    with pytest.raises(hubspot.crm.deals.ApiException) as refused:
        wrong.deals.basic_api.get_page()
    assert refused.value.status == 401
    assert "INVALID_AUTHENTICATION" in refused.value.body
