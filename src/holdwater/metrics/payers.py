"""Which lead a customer was whose own connection does not say: the lead of the same person, in whatever connection.

A billing knows nobody's first contact. What it has in common with a CRM is the person. Of each person two leads at most
are paired with the customers, so the cost is linear even where thousands of both share an address.
"""

from __future__ import annotations

import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.metrics.tables import CUSTOMERS, LEADS

_PAYER = ["payer_in", "payer"]
_FIRST = ["created_at", "connection", "id"]


def payers() -> ibis.Table:
    """The customers that have a person and name no lead that their own connection knows."""
    rows = CUSTOMERS.filter(CUSTOMERS.person != "")  # nor null: whoever is nobody must not meet nobody
    rows = rows.anti_join(LEADS, [rows.connection == LEADS.connection, rows.lead_id == LEADS.id])
    return rows.select("person", "started_at", payer_in="connection", payer="id")


def payers_leads(leads: ibis.Table, won: ibis.Table) -> ibis.Table:
    """One row for each payer who was a lead, with the `connection` and `lead_id` of that lead.

    Of the leads of one person that came before the customer began it is the earliest that has a win of its own, in
    `won` by connection and lead_id, so that a person who is won in a CRM and pays elsewhere is one win; if none has, it
    is the earliest. Ties go by connection and id. A lead that came only afterwards did not make the customer.
    """
    these = payers()
    own = won.group_by(won_in="connection", won_lead="lead_id").aggregate(wins=won.count())
    leads = leads.select("connection", "id", "created_at", "person").semi_join(these, "person")
    leads = leads.left_join(own, [("connection", "won_in"), ("id", "won_lead")])
    leads = leads.mutate(unwon=ibis.ifelse(leads.wins.isnull(), 1, 0))
    leads = leads.mutate(turn=ibis.row_number().over(ibis.window(group_by=["person", "unwon"], order_by=_FIRST)))
    leads = leads.filter(leads.turn == 0)  # where the first came too late, so did the others
    leads = leads.select("connection", "created_at", "unwon", lead_id="id", lead_person="person")
    pairs = these.inner_join(leads, [("person", "lead_person")])
    pairs = pairs.filter(_before(pairs.created_at, pairs.started_at))
    pairs = pairs.mutate(turn=ibis.row_number().over(ibis.window(group_by=_PAYER, order_by="unwon")))
    return pairs.filter(pairs.turn == 0).select(*_PAYER, "started_at", "connection", "lead_id")


def _before(came: ibis.Value, began: ibis.Value) -> ibis.Value:
    # A date without a time stands at midnight, before a first contact of the same day.
    return ibis.ifelse(began == began.truncate("D"), came.date() <= began.date(), came <= began)
