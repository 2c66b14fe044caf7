"""The few of HubSpot's endpoints (dated API 2026-09) that a sync reads, each to its last page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from holdwater.crm.client import Client, JsonObject
from holdwater.crm.hubspot_wire import Associated, Batch, Found, Listing, WireAccount, read
from holdwater.crm.pacing import Pacing
from holdwater.crm.paging import follow
from holdwater.errors import BadAnswerError

_VERSION = "2026-09"
_LIST_LIMIT = 100
_SEARCH_LIMIT = 200
_NO_CONTACTS = "crm.associations.NO_ASSOCIATIONS_FOUND"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One type of object, and the only properties of it that are ever requested."""

    name: str
    changed: str  # the property with the time of the last change
    properties: tuple[str, ...]


CONTACTS = ObjectType(
    "contacts",
    "lastmodifieddate",
    ("createdate", "lastmodifieddate", "hs_analytics_source", "hubspot_owner_id", "hs_merged_object_ids"),
)
DEALS = ObjectType(
    "deals",
    "hs_lastmodifieddate",
    (
        "amount",
        "deal_currency_code",
        "dealstage",
        "pipeline",
        "closedate",
        "createdate",
        "hs_lastmodifieddate",
        "hs_is_closed",
        "hs_is_closed_won",
        "hubspot_owner_id",
        "closed_lost_reason",
        "hs_merged_object_ids",
    ),
)


class Api:
    """HubSpot's answers, lists page by page, checked for their shape; `searches` is the pace HubSpot sets for those."""

    def __init__(self, client: Client, searches: Pacing) -> None:
        self._client = client
        self._searches = searches

    def account(self) -> WireAccount:
        """The account that the token opens."""
        path = f"/account-info/{_VERSION}/details"
        return read(WireAccount, self._client.get_json(path), _answer("GET", path))

    def owners(self, *, archived: bool) -> Iterator[Listing]:
        """Either those who left or those who did not; no answer holds both."""
        return self._list(f"/crm/owners/{_VERSION}", {"archived": str(archived).lower()})

    def pipelines(self) -> Iterator[Listing]:
        return self._list(f"/crm/pipelines/{_VERSION}/deals", {})

    def objects(self, kind: ObjectType, *, associations: str | None = None) -> Iterator[Listing]:
        """All objects that are not archived."""
        params = {"properties": ",".join(kind.properties), "archived": "false"}
        return self._list(
            f"/crm/objects/{_VERSION}/{kind.name}", params | ({"associations": associations} if associations else {})
        )

    def ids(self, kind: ObjectType, *, archived: bool) -> Iterator[Listing]:
        """The same with as little as HubSpot sends: the archived ones, or the others."""
        params = {"properties": kind.changed, "archived": str(archived).lower()}
        return self._list(f"/crm/objects/{_VERSION}/{kind.name}", params)

    def changed(self, kind: ObjectType, start: datetime, end: datetime) -> Iterator[Found]:
        """The objects whose last change lies from `start` to `end`, without their associations."""
        path = f"/crm/objects/{_VERSION}/{kind.name}/search"
        window = [
            {"propertyName": kind.changed, "operator": "GTE", "value": _epoch_ms(start)},
            {"propertyName": kind.changed, "operator": "LTE", "value": _epoch_ms(end)},
        ]

        def fetch(after: str | None) -> Found:
            # HubSpot wants all five, and the cursor as text from the first page on.
            question: JsonObject = {
                "filterGroups": [{"filters": window}],
                "sorts": [{"propertyName": kind.changed, "direction": "ASCENDING"}],
                "properties": list(kind.properties),
                "limit": _SEARCH_LIMIT,
                "after": after or "0",
            }
            return read(Found, self._client.post_json(path, question, pacing=self._searches), _answer("POST", path))

        return follow(fetch, lambda answer: answer.after, f"HubSpot's search at {path}")

    def contacts_of(self, deal_ids: list[str]) -> dict[str, list[Associated]]:
        """The contacts of each deal that has any, for up to 1,000 deals."""
        if not deal_ids:
            return {}
        batch = self._contacts([{"id": deal_id} for deal_id in deal_ids])
        return {
            result.deal.id: self.all_contacts_of(result.deal.id) if result.after else result.to
            for result in batch.results
        }

    def all_contacts_of(self, deal_id: str) -> list[Associated]:
        """The contacts of a deal that has more than one answer holds."""
        batches = follow(
            lambda after: self._contacts([{"id": deal_id, "after": after} if after else {"id": deal_id}]),
            lambda batch: next((result.after for result in batch.results), None),
            f"HubSpot's list of the contacts of deal {deal_id}",
        )
        return [contact for batch in batches for result in batch.results for contact in result.to]

    def _contacts(self, inputs: list[dict[str, str]]) -> Batch:
        path = f"/crm/associations/{_VERSION}/deals/contacts/batch/read"
        batch = read(Batch, self._client.post_json(path, {"inputs": inputs}), _answer("POST", path))
        # A deal without contacts counts as an error of its own in an answer that is otherwise good.
        if any(trouble.sub_category != _NO_CONTACTS for trouble in batch.errors):
            raise BadAnswerError(f"HubSpot answered POST {path} for some of the deals only; run the sync again later.")
        return batch

    def _list(self, path: str, params: Mapping[str, str]) -> Iterator[Listing]:
        def fetch(after: str | None) -> Listing:
            cursor = {"after": after} if after else {}
            answer = self._client.get_json(path, {"limit": _LIST_LIMIT, **params, **cursor})
            return read(Listing, answer, _answer("GET", path))

        return follow(fetch, lambda answer: answer.after, f"HubSpot's list at {path}")


def _answer(method: str, path: str) -> str:
    return f"HubSpot's answer to {method} {path}"


def _epoch_ms(moment: datetime) -> str:
    return str((moment - _EPOCH) // timedelta(milliseconds=1))
