"""The dialect of Pocket, the CRM that does not exist, which the tests of a connector talk to: docs/add_your_crm.md."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from holdwater.sandbox.business import Business
from holdwater.sandbox.dialect import Answer, Json
from holdwater.sandbox.records import Contact, Deal

PAGE = 100


class Pocket:
    """Answers for one business and one token."""

    prefixes = ("/pocket/",)

    def __init__(self, business: Business, *, token: str) -> None:
        self._business = business
        self._token = token

    def answer(self, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if not hmac.compare_digest(headers.get("authorization", "").encode(), f"Bearer {self._token}".encode()):
            return Answer(401, {}, {"error": "the token is not the one of this sandbox"})
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        match path.split("/")[2:]:
            case ["account"]:
                return Answer(200, {}, {"id": "77"})
            case ["people"]:
                return self._page([self._person(one) for one in self._business.contacts.values()], asked)
            case ["deals"]:
                return self._page([_deal(one) for one in self._business.deals.values()], asked)
            case ["people", "ids"]:
                return _ids(self._business.contacts)
            case ["deals", "ids"]:
                return _ids(self._business.deals)
            case ["people", "count"]:
                return _count(self._business.contacts.values(), asked.get("before", ""))
            case ["deals", "count"]:
                return _count(self._business.deals.values(), asked.get("before", ""))
        return Answer(404, {}, {"error": "there is nothing here"})

    def _page(self, items: list[Json], asked: Mapping[str, str]) -> Answer:
        """In the order of change and then of the id, so that a cursor that names both can miss nothing."""
        items.sort(key=_place)
        moment, _, id_ = asked.get("cursor", "").partition("|")
        after = (moment, int(id_ or 0))
        rest = [item for item in items if item["changed"] >= asked.get("since", "") and _place(item) > after]
        more = len(rest) > PAGE
        last = rest[PAGE - 1] if more else None
        return Answer(200, {}, {"items": rest[:PAGE], "next": f"{last['changed']}|{last['id']}" if last else None})

    def _person(self, one: Contact) -> Json:
        if one.archived:
            merged = [other.id for other in self._business.contacts.values() if one.id in other.merged]
            into = next((id_ for id_ in merged if not self._business.contacts[id_].archived), None)
            return {"id": one.id, "changed": one.modified.isoformat(), "removed": True, "merged_into": into}
        return {
            "id": one.id,
            "created": one.created.isoformat(),
            "changed": one.modified.isoformat(),
            "name": one.name,
            "email": one.email,
            "source": one.source,
        }


def _deal(one: Deal) -> Json:
    if one.archived:
        return {"id": one.id, "changed": one.modified.isoformat(), "removed": True, "merged_into": None}
    return {
        "id": one.id,
        "created": one.created.isoformat(),
        "changed": one.modified.isoformat(),
        "state": one.status,
        "person": one.contact_id,
        "amount": one.amount,
        "currency": one.currency,
        "closed": one.closed and one.closed.isoformat(),
        "reason": one.lost_reason,
    }


def _place(item: Json) -> tuple[str, int]:
    return item["changed"], int(item["id"])


def _count(records: Iterable[Contact | Deal], before: str) -> Answer:
    made = [one for one in records if not one.archived and (not before or one.created.isoformat() < before)]
    return Answer(200, {}, {"count": len(made)})


def _ids(records: Mapping[str, Any]) -> Answer:
    """On one page: Pocket is small."""
    return Answer(200, {}, {"items": [{"id": id_} for id_, one in records.items() if not one.archived], "next": None})
