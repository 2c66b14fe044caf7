"""What becomes of HubSpot's objects, and of those that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
from hubspot_portal import SECRET, Json, Portal, deals, read, records

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.crm.records import Deal, Lead, Money, Owner, Stage
from holdwater.errors import BadAnswerError


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # mypy takes the parts for the time zone


def test_owners_who_left_are_known(hubspot: HubSpot) -> None:
    at = utc(2024, 2, 1, 8, 0, 0, 500_000)
    assert read(hubspot)[0].records == [
        Owner(id="31", updated_at=at),
        Owner(id="32", updated_at=at),
        Owner(id="30", updated_at=at, archived=True),
    ]


def test_stages_of_every_pipeline(hubspot: HubSpot) -> None:
    stages = [stage for stage in read(hubspot)[1].records if isinstance(stage, Stage)]
    assert [(one.id, one.pipeline_id, one.label, one.position, one.closed, one.won) for one in stages] == [
        ("appointmentscheduled", "default", "Appointment", 0, False, False),
        ("closedwon", "default", "Won", 1, True, True),
        ("closedlost", "default", "Lost", 2, True, False),
        # These have no isClosed: the probability decides.
        ("998801", "774411", "Asked", 0, False, False),
        ("998802", "774411", "Renewed", 1, True, True),
        ("998803", "774411", "Gone", 2, True, False),
    ]
    assert stages[0].updated_at == utc(2022, 5, 1)


def test_contacts_become_leads(hubspot: HubSpot) -> None:
    leads = records(read(hubspot), "leads")
    created, updated = utc(2026, 3, 1, 9, 30, 0, 125_000), utc(2026, 6, 1, 10)
    assert leads["101"] == Lead(
        id="101",
        created_at=created,
        updated_at=updated,
        source="paid_search",
        source_raw="PAID_SEARCH",
        owner_id="31",
    )
    assert leads["202"] == Lead(id="202", created_at=created, updated_at=updated)
    # Epoch milliseconds; an empty text is no source.
    assert leads["204"] == Lead(id="204", created_at=created, updated_at=updated)
    # Without its property, the object's own time of change.
    assert leads["1001"] == Lead(
        id="1001", created_at=created, updated_at=updated, source="organic_search", source_raw="ORGANIC_SEARCH"
    )


def test_deals_become_deals(hubspot: HubSpot) -> None:
    created, updated = utc(2026, 4, 2, 11, 0, 0, 7000), utc(2026, 7, 1, 0, 0, 0, 1000)
    assert deals(hubspot) == {
        "7001": Deal(
            id="7001",
            status="won",
            created_at=created,
            updated_at=updated,
            lead_id="202",  # the smaller number, though "1001" comes first in the answer and as text
            closed_at=utc(2026, 5, 20),
            amount=Money(150_000, "EUR", "1500.00"),
            pipeline_id="default",
            stage_id="closedwon",
            owner_id="32",
        ),
        "7002": Deal(
            id="7002",
            status="open",
            created_at=created,
            updated_at=updated,
            lead_id=None,
            closed_at=None,  # it has a closedate, which is a hope
            amount=None,  # not zero
            pipeline_id="default",
            stage_id="appointmentscheduled",
            owner_id="32",
        ),
        "7003": Deal(
            id="7003",
            status="lost",
            created_at=created,
            updated_at=updated,
            lead_id="204",  # the primary one
            closed_at=utc(2026, 5, 20),  # epoch milliseconds
            amount=Money(0, "USD", "0"),  # zero, not None; no currency: the account's own
            pipeline_id="default",
            stage_id="closedlost",
            owner_id="32",
        ),
        "7010": Deal(
            id="7010",
            status="won",  # its flags are empty, its stage is won
            created_at=created,
            updated_at=updated,
            lead_id="202",  # on the second page of its contacts
            closed_at=None,
            amount=Money(12_000, "JPY", "12000"),
            pipeline_id="774411",
            stage_id="998802",
            owner_id="32",
        ),
    }


def test_the_home_currency_is_the_accounts(hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["account", "details", ""]["companyCurrency"] = "JPY"
    assert deals(hubspot)["7003"].amount == Money(0, "JPY", "0")
    assert deals(hubspot)["7001"].amount == Money(150_000, "EUR", "1500.00")


def test_a_home_currency_that_is_given_comes_first(portal: Portal) -> None:
    client = Client("https://api.hubapi.com", Token(SECRET), transport=httpx.MockTransport(portal))
    with HubSpot(client, home_currency="KWD") as hubspot:
        assert deals(hubspot)["7003"].amount == Money(0, "KWD", "0")
        assert deals(hubspot)["7001"].amount == Money(150_000, "EUR", "1500.00")


@pytest.mark.parametrize(
    ("won", "closed", "stage", "status"),
    [
        ("true", "true", "closedwon", "won"),
        ("false", "true", "closedlost", "lost"),
        ("false", "false", "appointmentscheduled", "open"),
        # The deal's own flags count before the stage's.
        ("true", "true", "closedlost", "won"),
        ("false", "false", "closedwon", "open"),
        # What a flag leaves undecided, the stage decides.
        (None, None, "closedwon", "won"),
        (None, None, "closedlost", "lost"),
        (None, None, "appointmentscheduled", "open"),
        (None, "true", "closedwon", "won"),
        (None, "true", "closedlost", "lost"),
        ("false", None, "closedlost", "lost"),
        ("false", None, "appointmentscheduled", "open"),
        (None, "false", "appointmentscheduled", "open"),
        # Undecided, and not needed.
        ("true", None, "nowhere", "won"),
    ],
)
def test_how_a_deal_stands(
    won: str | None, closed: str | None, stage: str, status: str, hubspot: HubSpot, portal: Portal
) -> None:
    changed(portal, hs_is_closed_won=won, hs_is_closed=closed, dealstage=stage)
    assert deals(hubspot)["7001"].status == status


@pytest.mark.parametrize("stage", [None, "", "nowhere"])
def test_a_deal_that_stands_nowhere_is_named(stage: str | None, hubspot: HubSpot, portal: Portal) -> None:
    changed(portal, hs_is_closed_won=None, hs_is_closed=None, dealstage=stage)
    with pytest.raises(BadAnswerError, match=r"HubSpot deal 7001: .*dealstage"):
        read(hubspot)


def changed(portal: Portal, **properties: object) -> None:
    """Gives the first deal of the list other properties."""
    portal.answers["deals", "list", ""]["results"][0]["properties"].update(properties)


@pytest.mark.parametrize(
    ("text", "minor"),
    [("19.99", 1999), ("1.5E3", 150_000), ("0.005", 0), ("0.015", 2), ("-20", -2000), ("999999999999.99", 10**14 - 1)],
)
def test_amounts_are_exact(text: str, minor: int, hubspot: HubSpot, portal: Portal) -> None:
    changed(portal, amount=text)
    amount = deals(hubspot)["7001"].amount
    assert amount == Money(minor, "EUR", text)
    assert abs(amount.amount - Decimal(text)) <= Decimal("0.005")


@pytest.mark.parametrize("text", ["a lot", "NaN", "Infinity", "1,500.00", "1e15", "1E+999999", "€5", "--1"])
def test_an_amount_that_is_no_number_is_named(text: str, hubspot: HubSpot, portal: Portal) -> None:
    changed(portal, amount=text)
    with pytest.raises(BadAnswerError, match=r"HubSpot deal 7001: its amount") as caught:
        read(hubspot)
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("closedate", "next week"),
        ("closedate", "2026-05-20T00:00:00"),  # in which time zone?
        ("closedate", "9" * 30),
        ("closedate", "0001-01-01T00:00:00+05:00"),
        ("closedate", 5.5),
        ("hs_lastmodifieddate", True),
        ("hs_is_closed", "perhaps"),
        ("deal_currency_code", "euros"),
        ("dealstage", 7),
        ("amount", {"value": 1}),
    ],
)
def test_a_field_that_cannot_be_read_is_named(field: str, value: object, hubspot: HubSpot, portal: Portal) -> None:
    changed(portal, **{field: value})
    with pytest.raises(BadAnswerError, match=rf"HubSpot deal 7001 has something unusable in properties\.{field};"):
        read(hubspot)


@pytest.mark.parametrize("identity", [None, "", "jane@example.com", "12; drop"])
def test_an_object_without_an_id_is_told_without_a_guess(identity: object, hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["contacts", "list", ""]["results"][1]["id"] = identity
    with pytest.raises(BadAnswerError, match=r"A HubSpot contact without a usable id .* in id;") as caught:
        read(hubspot)
    assert "jane" not in str(caught.value)


def test_personal_data_stays_out_of_errors(
    hubspot: HubSpot, portal: Portal, printed: Callable[[BaseException], str]
) -> None:
    portal.answers["owners", "list", ""]["results"][0]["updatedAt"] = "Ada's birthday"
    with pytest.raises(BadAnswerError, match=r"HubSpot owner 31 has something unusable in updatedAt;") as caught:
        read(hubspot)
    assert "Ada" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert SECRET not in printed(caught.value)


@pytest.mark.parametrize(
    "answer",
    [{"status": "error"}, {"results": None}, {"results": ["x"]}, {"results": [], "paging": {"next": {"link": "/x"}}}],
)
def test_another_shape_is_named(answer: Json, hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["contacts", "list", ""] = answer
    with pytest.raises(BadAnswerError, match=r"HubSpot's answer to GET /crm/objects/2026-09/contacts has"):
        read(hubspot)
