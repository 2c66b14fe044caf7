"""A simulated business again in a real Tryton: the same records with the same numbers and moments.

Tryton makes, merges and deletes them through its API. Numbers, moments and states are written past it, since it would
take those of the hour; what it writes beside them is its own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from tryton_server import PASSWORD, Json, Office, Server, amount, day

from holdwater.sandbox import Business, Deal, Source, Truth, simulate

STATES = {"qualifiedtobuy": "lead", "contractsent": "opportunity", "closedwon": "won", "closedlost": "lost"}
HOUR = timedelta(hours=1, milliseconds=7)  # on SQLite, Tryton compares moments as texts: of a whole second wrongly


def business_of_all_kinds() -> Business:
    """With whatever happens to opportunities."""
    source = Source(name="PAID_SEARCH", leads_per_month=40, conversion=0.4, days_to_win=5)
    truth = Truth(sources=(source,), churn=0.1, referral_rate=0.0, revenue_per_customer=Decimal(50), gross_margin=0.5)
    business = simulate(truth, seed=3, months=1)
    deals = list(business.deals.values())
    again = business.open_deal(deals[0].contact_id, at=business.now + HOUR)
    business.lose(again.id, business.now + HOUR, reason="Went\nto another")
    business.open_deal(None, amount=Decimal(0), at=business.now + HOUR)
    moment = business.wait_until(business.now + HOUR)
    for deal in deals[4:12]:  # at one moment
        business.deals[deal.id] = replace(deal, modified=moment, amount="77.10")
    loser, winner = (deal.contact_id for deal in deals[12:14])
    assert loser
    assert winner
    business.merge_contacts(loser, winner, business.now + HOUR)
    business.archive_deal(deals[3].id, business.now + HOUR)
    business.wait_until(business.now + HOUR)
    return business


def seed(server: Server, business: Business) -> set[int]:
    """Puts the business into an empty Tryton; gives the opportunities whose party was merged into another."""
    office = Office(server.url, "admin", PASSWORD)
    company, _ = office.found_company(
        {"name": "Dollar", "code": "USD", "symbol": "$", "digits": 2, "rounding": amount("0.01")}
    )
    people(office, server, business, company)
    merged = opportunities(office, server, business, company)
    for loser, winner in mergers(business).items():
        office.merge(loser, winner)
    for one in business.contacts.values():
        dated(server, "party_party", int(one.id), one.created, one.modified)
    for deal in business.deals.values():
        if deal.archived:
            delete(office, server, number(deal), deal.archived)
    office.http.close()
    return merged


def number(deal: Deal) -> int:
    return int(deal.id) - 7000


def mergers(business: Business) -> dict[int, int]:
    """Into which party each went that was merged; the business has merged one at most."""
    return {int(loser): int(one.id) for one in business.contacts.values() for loser in one.merged}


def people(office: Office, server: Server, business: Business, company: int) -> None:
    parties = office.create("party.party", *({"name": owner.name} for owner in business.owners))
    number_from(server, "company_employee", int(business.owners[0].id))
    employees: list[Json] = [
        {"company": company, "party": party, "end_date": day(owner.modified.date()) if owner.archived else None}
        for party, owner in zip(parties, business.owners, strict=True)
    ]
    office.create("company.employee", *employees)
    for owner in business.owners:
        dated(server, "company_employee", int(owner.id), owner.created, None)
    number_from(server, "party_party", 101)
    buyers: list[Json] = [
        {"name": "Simulated", "contact_mechanisms": [["create", [{"type": "email", "value": contact.email}]]]}
        for contact in business.contacts.values()
    ]
    office.create("party.party", *buyers)


def opportunities(office: Office, server: Server, business: Business, company: int) -> set[int]:
    """Those of a merged party are still its own here; Tryton moves them when it merges."""
    once: dict[str, int] = {}
    for loser, winner in mergers(business).items():  # the loser was there first, and so was its deal
        once[next(deal.id for deal in business.deals.values() if deal.contact_id == str(winner))] = loser
    deals: list[Json] = [
        {
            "company": company,
            "party": once.get(deal.id) or (deal.contact_id and int(deal.contact_id)),
            "employee": int(deal.owner_id),
            "currency": 1,
            "amount": amount(deal.amount),
            "description": deal.name,
        }
        for deal in business.deals.values()
    ]
    office.create("sale.opportunity", *deals)
    server.rows("DELETE FROM sale_opportunity__history")
    columns = ", ".join(row["name"] for row in server.rows("PRAGMA table_info(sale_opportunity)"))
    for deal in business.deals.values():
        for at, stage in deal.stage_history:
            change(server, columns, deal, at, STATES[stage])
        if deal.modified > deal.stage_history[-1][0] and deal.id not in once and not deal.archived:
            change(server, columns, deal, deal.modified, STATES[deal.stage_id])
    return {number(business.deals[id_]) for id_ in once}


def number_from(server: Server, table: str, first: int) -> None:
    server.rows("DELETE FROM sqlite_sequence WHERE name = ?", table)
    server.rows("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, first - 1)


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def dated(server: Server, table: str, id_: int, created: datetime, written: datetime | None) -> None:
    values = (text(created), written and text(written), id_)
    server.rows(f"UPDATE {table} SET create_date = ?, write_date = ? WHERE id = ?", *values)


def change(server: Server, columns: str, deal: Deal, at: datetime, state: str) -> None:
    """The opportunity and its history after a change that Tryton would have made then."""
    dated(server, "sale_opportunity", number(deal), deal.created, None if at == deal.created else at)
    ended = str(at.date()) if state in ("won", "lost") else None
    reason = deal.lost_reason if state == "lost" else None
    server.rows(
        "UPDATE sale_opportunity SET state = ?, lost_reason = ?, start_date = ?, end_date = coalesce(end_date, ?)"
        " WHERE id = ?",
        *(state, reason, str(deal.created.date()), ended, number(deal)),
    )
    server.rows(
        f"INSERT INTO sale_opportunity__history ({columns}) SELECT {columns} FROM sale_opportunity WHERE id = ?",
        number(deal),
    )


def delete(office: Office, server: Server, id_: int, at: datetime) -> None:
    (last,) = server.rows("SELECT max(__id) AS place FROM sale_opportunity__history")
    server.rows("UPDATE sale_opportunity SET state = 'cancelled' WHERE id = ?", id_)
    office.do("sale.opportunity.delete", [id_])
    server.rows("UPDATE sale_opportunity__history SET write_date = ? WHERE __id > ?", text(at), last["place"])
