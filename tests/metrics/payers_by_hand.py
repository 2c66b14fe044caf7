"""Which lead a customer of a billing was, looked up a second time, one customer after another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, time

from holdwater.crm.records import Customer, Lead

Key = tuple[str, str | None]  # connection and id


def leads_of_payers(
    leads: Sequence[tuple[str, Lead]],
    customers: Sequence[tuple[str, Customer]],
    won: Collection[Key],
    as_of: datetime,
    day: Callable[[datetime], date],
) -> dict[Key, Key | None]:
    """Each customer with a person and without a lead in its own connection. `won`: the leads that have wins there."""
    known = {(connection, lead.id) for connection, lead in leads}
    found: dict[Key, Key | None] = {}
    for place, customer in customers:
        if not customer.person or (place, customer.lead_id) in known:
            continue
        candidates = []
        for connection, lead in leads:
            key = (connection, lead.id)
            if lead.person == customer.person and lead.created_at <= as_of and came_before(lead, customer, day):
                candidates.append((key not in won, lead.created_at, key))
        found[place, customer.id] = min(candidates)[2] if candidates else None
    return found


def came_before(lead: Lead, customer: Customer, day: Callable[[datetime], date]) -> bool:
    if customer.started_at.time() == time():  # a date without a time
        return day(lead.created_at) <= day(customer.started_at)
    return lead.created_at <= customer.started_at
