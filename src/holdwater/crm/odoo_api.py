"""The few questions to Odoo that a sync asks, each to its last page.

Pages go on behind the last number: numbers never change, so neither equal times nor what changes meanwhile moves a
record to another page. Lost leads are archived, and missing from every answer unless they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from holdwater.crm.client import Client
from holdwater.crm.odoo_wire import Counted, Json, Listing, id_of, moment, read
from holdwater.errors import BadAnswerError, ScopeError

_SMALL = 10  # times as many go into an answer where little is asked of each
_NAME: Json = {"fields": {"name": {}}}
_DATES: Json = {"create_date": {}, "write_date": {}}
_LEAD: Json = {
    **_DATES,
    "active": {},
    "won_status": {},
    "stage_id": {},
    "partner_id": {},
    "user_id": {},
    "source_id": _NAME,
    "lost_reason_id": _NAME,
    "expected_revenue": {},
    "company_currency": _NAME,
    "date_closed": {},
}
_TRACKING: Json = {
    "create_date": {},
    "old_value_integer": {},
    "new_value_integer": {},
    "mail_message_id": {"fields": {"res_id": {}}},
}


class Api:
    """Odoo's answers, `at_once` records in each; `addresses`: whether the e-mail address of a lead is asked for.

    `tracked`: whether there is the right to read what was tracked, as far as that is known.
    """

    def __init__(self, client: Client, *, at_once: int, addresses: bool = False) -> None:
        self._client = client
        self._at_once = at_once
        self.tracked = True
        self._lead = {**_LEAD, "email_from": {}} if addresses else _LEAD

    def users(self) -> list[Json]:
        """Those of the company, not those of its customers."""
        pages = self._list("res.users", [["share", "=", False]], {**_DATES, "active": {}})
        return [row for rows in pages for row in rows]

    def stages(self) -> list[Json]:
        pages = self._list("crm.stage", [], {**_DATES, "name": {}, "sequence": {}, "is_won": {}})
        return [row for rows in pages for row in rows]

    def leads(self, since: datetime | None = None) -> Iterator[list[Json]]:
        """All of them, or those that are new or changed since then, as they or their partner were.

        A merge of partners gives their leads to the one that stays, without a change of the leads.
        """
        fields = () if since is None else ("write_date", "partner_id.write_date")
        changed = [[field, ">=", moment(since)] for field in fields if since]
        return self._list("crm.lead", ["|", *changed] if changed else [], self._lead)

    def partners(self) -> dict[int, int | None]:
        """The partner of every lead that counts, in the order in which they were made."""
        specification: Json = {"partner_id": {}, "active": {}, "won_status": {}}
        pages = self._list("crm.lead", [], specification, at_once=_SMALL * self._at_once)
        return {
            id_of(row): row["partner_id"] if type(row.get("partner_id")) is int else None
            for rows in pages
            for row in rows
            if not put_away(row.get("active"), row.get("won_status"))
        }

    def count(self, before: datetime) -> int:
        """How many leads that count were made before a moment."""
        counts = ["|", ["active", "=", True], ["won_status", "!=", "pending"]]  # the rest is put away
        path, question = self._question("crm.lead", [["create_date", "<", moment(before)], *counts], {}, limit=1)
        return read(Counted, self._client.post_json(path, question), f"The answer to POST {path}").length

    def trackings(self, ids: Sequence[int]) -> list[Json]:
        """The changes of stage of these records, first to last; none without the right to read them.

        A merge of leads moves the messages of those that go to the one that stays: such have a subject, which says
        whose they were, and are no changes of this one.
        """
        domain = [
            ["field_id.model", "=", "crm.lead"],
            ["field_id.name", "=", "stage_id"],
            ["mail_message_id.model", "=", "crm.lead"],
            ["mail_message_id.res_id", "in", list(ids)],
            ["mail_message_id.subject", "=", False],
        ]
        try:
            return [row for rows in self._list("mail.tracking.value", domain, _TRACKING) for row in rows]
        except ScopeError:
            self.tracked = False
            return []

    def _list(
        self, model: str, domain: Sequence[object], specification: Json, at_once: int | None = None
    ) -> Iterator[list[Json]]:
        """All pages up to an empty one, each behind the last number of the one before: numbers never change, so
        neither equal times nor what changes meanwhile moves a record to another page."""
        last = 0
        while rows := self._search(model, [*domain, ["id", ">", last]], specification, at_once or self._at_once):
            ids = [id_of(row) for row in rows]
            if any(after <= before for before, after in pairwise([last, *ids])):
                raise BadAnswerError(
                    f"{self._client.account} sends the pages of {model} in a wrong order; run the sync again later."
                )
            last = ids[-1]
            yield rows

    def _search(self, model: str, domain: list[object], specification: Json, at_once: int) -> list[Json]:
        path, question = self._question(model, domain, specification, limit=at_once)
        question["count_limit"] = 1  # else Odoo counts for each page how many records there are
        return read(Listing, self._client.post_json(path, question), f"The answer to POST {path}").records

    def _question(
        self, model: str, domain: list[object], specification: Json, limit: int
    ) -> tuple[str, dict[str, object]]:
        return f"/json/2/{model}/web_search_read", {
            "domain": domain,
            "specification": specification,
            "order": "id asc",
            "limit": limit,
            "context": {"active_test": False},
        }


def put_away(active: object, won_status: object) -> bool:
    """Whether a lead was archived without being lost or won: it counts no more."""
    return active is False and won_status == "pending"
