"""Businesses drawn at random with everything a CRM and a billing can say, to compare engines on."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from holdwater.crm.records import (
    Activity,
    Consent,
    Customer,
    Deal,
    Invoice,
    Lead,
    Money,
    Record,
    Spend,
    Stage,
    StageEvent,
)

START = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 17, 12, 30, tzinfo=UTC)
VERSION = datetime(2026, 6, 1, tzinfo=UTC)
_STAGES = ("new", "offer", "trial", "won stage", "lost stage")


def books(seed: int, leads: int) -> list[Record]:
    """Some of all this lies after NOW, on equal moments, or out of order, as it does in life."""
    chance, persons = random.Random(seed), random.Random(f"persons {seed}")

    def moment(after: datetime, days: float) -> datetime:
        return after + timedelta(minutes=round(chance.expovariate(1 / days) * 1_440))

    records: list[Record] = [
        Stage(
            id=name,
            pipeline_id="p",
            label=name.title(),
            position=place,
            closed=place > 2,
            won=place == 3,
            updated_at=VERSION,
        )
        for place, name in enumerate(_STAGES)
        if name != "trial"  # the source has forgotten this stage
    ]
    for number in range(leads):
        id = f"l{number}"
        came = START + timedelta(minutes=chance.randrange(round((NOW - START) / timedelta(minutes=1)) + 20_000))
        source = chance.choice(["email", "social", "referrals", "referral", None])
        person = persons.choice([None, "", f"p{number}", f"p{number}", f"p{number // 4}"])
        records.append(Lead(id=id, created_at=came, updated_at=VERSION, source=source, person=person))
        records += _contacts(chance, id, number, moment(came, 0.2))
        if chance.random() < 0.6:
            records += _deal(chance, id, f"d{number}", moment(came, 3))
        if chance.random() < 0.4:
            named, *bills = _customer(chance, id, f"c{number}", moment(came, 20))
            records += [_of_a_billing(persons, named, person), *bills]
    records += [
        Spend(
            id=f"s{month}",
            day=(START + timedelta(days=30 * month)).date(),
            amount=Money(100 * chance.randrange(9_999), "EUR", ""),
            updated_at=VERSION,
            source=chance.choice(["email", "social", None]),
        )
        for month in range(14)
    ]
    return records


def _contacts(chance: random.Random, lead_id: str, number: int, first: datetime) -> list[Record]:
    found: list[Record] = [
        Activity(
            id=f"a{number}.{turn}",
            kind=chance.choice(["call", "email", "meeting", "note", "task", "message"]),
            direction=chance.choice(["in", "out", "out", None]),
            occurred_at=first + timedelta(hours=chance.randrange(-10, 90)),
            updated_at=VERSION,
            lead_id=None if turn == 2 else lead_id,
            deal_id=chance.choice([f"d{number}", None]),
        )
        for turn in range(chance.randrange(4))
    ]
    found += [  # mails back and forth, some of them at one moment, some for days without an answer
        Activity(
            id=f"m{number}.{turn}",
            kind="email",
            direction=chance.choice(["in", "out"]),
            occurred_at=first + timedelta(hours=chance.choice([0, 1, 30, 102, 174, 300, 900])),
            updated_at=VERSION,
            lead_id=lead_id,
            deal_id=chance.choice([f"d{number}", None]),
        )
        for turn in range(chance.randrange(6))
    ]
    found += [
        Consent(
            id=f"k{number}.{turn}",
            lead_id=lead_id,
            channel=chance.choice(["email", "phone"]),
            status=chance.choice(["opted_in", "opted_in", "opted_out", "unknown"]),
            updated_at=VERSION,
            recorded_at=chance.choice([None, first]),
        )
        for turn in range(chance.randrange(3))
    ]
    return found


def _deal(chance: random.Random, lead_id: str, id: str, opened: datetime) -> list[Record]:
    at, found = opened, list[Record]()
    for turn in range(chance.randrange(1, 5)):
        stage = chance.choice(_STAGES[:3])
        found.append(StageEvent(id=f"{id}.{turn}", deal_id=id, stage_id=stage, entered_at=at, updated_at=VERSION))
        at += timedelta(minutes=chance.choice([0, 3, 600, 5_000, 20_000]))
    status = chance.choice(["open", "won", "lost"])
    if status != "open" and chance.random() < 0.6:
        found.append(
            StageEvent(id=f"{id}.9", deal_id=id, stage_id=f"{status} stage", entered_at=at, updated_at=VERSION)
        )
    found.append(
        Deal(
            id=id,
            status=status,  # type: ignore[arg-type] # one of the three above
            created_at=opened,
            updated_at=VERSION,
            lead_id=lead_id,
            closed_at=at if status != "open" else None,
            lost_reason=chance.choice(["price", "no_reply", "our_delay", None]) if status == "lost" else None,
        )
    )
    return found


def _of_a_billing(chance: random.Random, named: Record, person: str | None) -> Record:
    """Some customers name their lead, some a lead that nobody knows; others have a person, not always the lead's."""
    assert isinstance(named, Customer)
    lead_id = chance.choice([named.lead_id, named.lead_id, None, None, "gone"])
    person = chance.choice([person, person, f"p{chance.randrange(40)}", "nobody", None])
    earlier = timedelta(days=0 if lead_id == named.lead_id else chance.choice([0, 0, 15]))
    return replace(named, lead_id=lead_id, person=person, started_at=named.started_at - earlier)


def _customer(chance: random.Random, lead_id: str, id: str, began: datetime) -> list[Record]:
    ended = began + timedelta(days=chance.choice([-3, 0, 5, 30.4375, 61, 200]), minutes=chance.choice([-1, 0, 7]))
    found: list[Record] = [
        Customer(
            id=id,
            started_at=began,
            updated_at=VERSION,
            lead_id=lead_id,
            ended_at=chance.choice([None, ended]),
        )
    ]
    for turn in range(chance.randrange(4)):
        issued = began + timedelta(days=30 * turn)
        total = Money(chance.randrange(100, 99_999), chance.choice(["EUR", "EUR", "USD"]), "")
        found.append(
            Invoice(
                id=f"{id}.{turn}",
                customer_id=id,
                status=chance.choice(["paid", "paid", "open", "void"]),
                issued_at=issued,
                updated_at=VERSION,
                paid_at=chance.choice([None, issued + timedelta(days=9)]),
                total=chance.choice([total, total, None]),
                refunded=chance.choice([None, Money(55, total.currency, "")]),
            )
        )
    return found
