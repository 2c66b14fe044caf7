"""HubSpot's dialect: answers requests the way HubSpot answers them, out of a simulated business.

The dated paths (`/crm/objects/2026-09/...`) and the old ones (`/crm/v3/objects/...`) have one handler.
Messages are the sandbox's own; statuses, categories and shapes are HubSpot's.
"""

from __future__ import annotations

import hmac
import json
import random
import re
import uuid
from bisect import bisect_right
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, urlencode

from holdwater.sandbox.business import Business
from holdwater.sandbox.dialect import Answer, Json
from holdwater.sandbox.hubspot_request import Refused, Request, inputs, invalid, strings
from holdwater.sandbox.hubspot_rows import TYPES, ObjectType, Row, Rows, iso, owner, pipeline, shown
from holdwater.sandbox.hubspot_search import CAP, Search

PORTAL_ID = 1_000_001  # a simulated account unless told otherwise
LIST_LIMIT, BATCH_LIMIT = 100, 100
HISTORY_LIMIT = 50  # of a list or a batch that wants past values
OWNERS_LIMIT = 500
ASSOCIATIONS_LIMIT = {"v3": 100, "v4": 1000, "2026-09": 1000}

_OBJECTS = r"/crm/(?:objects/(?P<dated>2026-09)|v3/objects)/(?P<type>[\w-]+)"
_ASSOCIATIONS = (
    r"/crm/(?:associations/(?P<dated>2026-09)|(?P<version>v[34])/associations)/(?P<type>[\w-]+)/(?P<to>[\w-]+)"
)

# The sandbox never slows a client down: a test that wants a refusal puts one in the place of an answer.
_RATE_LIMIT = {
    "x-hubspot-ratelimit-max": "110",
    "x-hubspot-ratelimit-remaining": "109",
    "x-hubspot-ratelimit-interval-milliseconds": "10000",
}


def rate_limited(policy: str = "SECONDLY", retry_after: int | None = None) -> tuple[int, dict[str, str], bytes]:
    """HubSpot's refusal of one request too many, to put in the place of an answer."""
    body = {
        "status": "error",
        "message": "The limit of requests is reached.",
        "errorType": "RATE_LIMIT",
        "correlationId": str(uuid.UUID(int=429)),
        "policyName": policy,
    }
    headers = {"Content-Type": "application/json"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return 429, headers, json.dumps(body).encode()


def out_of_scope(scope: str) -> tuple[int, dict[str, str], bytes]:
    """HubSpot's refusal of a part of the account that the token may not read, to put in the place of an answer."""
    error = {"message": "A scope is missing.", "context": {"requiredScopes": [scope]}}
    body = {
        "status": "error",
        "message": "The token has not been granted all scopes that this needs.",
        "correlationId": str(uuid.UUID(int=403)),
        "category": "MISSING_SCOPES",
        "errors": [error],
    }
    return 403, {"Content-Type": "application/json"}, json.dumps(body).encode()


class HubSpot:
    """Answers for one business and one token; `search_cap` is the wall that HubSpot has at 10,000.

    `portal_id` is the number of the account, from which clients tell one from another. With `shuffle`, searches keep
    to no order, from one page to the next, as happens to HubSpot for up to an hour after many changes.
    """

    prefixes = ("/crm/", "/account-info/")

    def __init__(
        self,
        business: Business,
        *,
        token: str,
        search_cap: int = CAP,
        portal_id: int = PORTAL_ID,
        shuffle: random.Random | None = None,
    ) -> None:
        self.business = business
        self._token = token
        self._search_cap = search_cap
        self._portal_id = portal_id
        self._shuffle = shuffle
        self._rows = Rows(business)
        self._routes: list[tuple[str, re.Pattern[str], Callable[[Request], Answer]]] = [
            ("GET", re.compile(_OBJECTS), self._list),
            ("GET", re.compile(_OBJECTS + r"/(?P<id>\d+)"), self._one),
            ("POST", re.compile(_OBJECTS + r"/batch/read"), self._batch),
            ("POST", re.compile(_OBJECTS + r"/search"), self._search),
            ("POST", re.compile(_ASSOCIATIONS + r"/batch/read"), self._associations),
            ("GET", re.compile(r"/crm/(?:pipelines/2026-09|v3/pipelines)/(?P<type>[\w-]+)"), self._pipelines),
            ("GET", re.compile(r"/crm/(?:owners/2026-09|v3/owners)"), self._owners),
            ("GET", re.compile(r"/account-info/(?:2026-09|v3)/details"), self._account),
        ]

    def answer(self, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            self._check_token(headers.get("authorization", ""))
            respond, parts = self._route(method, path)
            asked = parse_qs(query, keep_blank_values=True)
            return respond(Request(path, parts, asked, body, headers.get("host", "")))
        except Refused as refused:
            # The same request gives the same id: what the sandbox answers can be repeated.
            correlation = uuid.uuid5(uuid.NAMESPACE_URL, f"{method} {path}?{query}")
            error = {
                "status": "error",
                "message": str(refused),
                "correlationId": str(correlation),
                "category": refused.category,
            }
            return _answer(error, refused.status, limited=not path.endswith("/search"))

    def _check_token(self, given: str) -> None:
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            raise Refused(401, "INVALID_AUTHENTICATION", "The token is missing, or not the one of this sandbox.")

    def _route(self, method: str, path: str) -> tuple[Callable[[Request], Answer], dict[str, str | None]]:
        found = [
            (verb, respond, match)
            for verb, known, respond in self._routes
            if (match := known.fullmatch(path.rstrip("/")))
        ]
        for verb, respond, match in found:
            if verb == method:
                return respond, match.groupdict()
        if found:
            raise Refused(405, "METHOD_NOT_ALLOWED", f"{path} does not take {method}; the sandbox is for reading.")
        raise Refused(404, "OBJECT_NOT_FOUND", f"The sandbox has nothing at {path}.")

    def _list(self, request: Request) -> Answer:
        kind, archived = request.object_type(), request.archived()
        history = request.names("propertiesWithHistory")
        limit = request.limit(10, HISTORY_LIMIT if history else LIST_LIMIT)
        ids = self._rows.ids(kind)
        rows: list[Row] = []
        for record_id in ids[bisect_right(ids, request.after(), key=int) :]:
            row = self._rows.row(kind, record_id)
            if row and (row.archived is not None) == archived:
                rows.append(row)
                if len(rows) > limit:
                    break
        page = rows[:limit]
        body: Json = {"results": [self._asked(request, kind, row) for row in page]}
        if len(rows) > limit:
            body["paging"] = _next(request, page[-1].id)
        return _answer(body)

    def _one(self, request: Request) -> Answer:
        kind, record_id = request.object_type(), str(request.parts["id"])
        row = self._rows.row(kind, record_id)
        if row is None or (row.archived is not None) != request.archived():
            raise Refused(404, "OBJECT_NOT_FOUND", f"There is no {kind.singular} {record_id}.")
        return _answer(self._asked(request, kind, row))

    def _asked(self, request: Request, kind: ObjectType, row: Row) -> Json:
        """A row with what the query asks for; one that nothing belongs to has no `associations`."""
        result = shown(kind, row, request.names("properties"), request.names("propertiesWithHistory"))
        for other in (TYPES[name] for name in request.names("associations") if name in TYPES):
            linked = self._rows.linked(kind, other, row.id)
            if linked:
                label = f"{kind.singular}_to_{other.singular}"
                found = {"results": [{"id": one, "type": label} for one in linked]}
                result.setdefault("associations", {})[other.name] = found
        return result

    def _batch(self, request: Request) -> Answer:
        kind, archived, body = request.object_type(), request.archived(), request.json()
        properties = strings(body.get("properties", []), "properties")
        history = strings(body.get("propertiesWithHistory", []), "propertiesWithHistory")
        wanted = set(inputs(body, HISTORY_LIMIT if history else BATCH_LIMIT))
        # In the order of ids, not of the inputs: HubSpot promises none.
        rows = [row for record_id in sorted(wanted, key=int) if (row := self._rows.row(kind, record_id))]
        found = [row for row in rows if (row.archived is not None) == archived]
        missing = sorted(wanted - {row.id for row in found}, key=int)
        error = {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": f"Some {kind.name} do not exist.",
            "context": {"ids": missing},
        }
        return self._completed([shown(kind, row, properties, history) for row in found], [error] if missing else [])

    def _search(self, request: Request) -> Answer:
        kind, strict = request.object_type(), request.parts["dated"] is not None
        search = Search.parse(kind, request.json(), strict=strict, cap=self._search_cap)
        found = search.find(kind, self._rows.all(kind))
        if self._shuffle:
            self._shuffle.shuffle(found)
        end = search.offset + search.limit
        results = [shown(kind, row, search.properties) for row in found[search.offset : end]]
        body: Json = {"total": len(found), "results": results}
        if end < len(found):
            body["paging"] = {"next": {"after": str(end)}}
        return _answer(body, limited=False)

    def _associations(self, request: Request) -> Answer:
        kind, other = request.object_type(), request.object_type("to")
        version = request.parts["version"] or "2026-09"
        results: list[Json] = []
        errors: list[Json] = []
        for record_id in inputs(request.json(), ASSOCIATIONS_LIMIT[version]):
            linked = self._rows.linked(kind, other, record_id)
            if linked:
                to = [_link(kind, other, one, version) for one in linked]
                results.append({"from": {"id": record_id}, "to": to})
            else:
                errors.append(_unlinked(kind, other, record_id))
        return self._completed(results, errors)

    def _pipelines(self, request: Request) -> Answer:
        if request.object_type().name != "deals":
            raise invalid("The sandbox has pipelines of deals only.")
        return _answer({"results": [pipeline(self.business.pipeline)]})

    def _owners(self, request: Request) -> Answer:
        limit, after, archived = request.limit(100, OWNERS_LIMIT), request.after(), request.archived()
        rest = [one for one in self.business.owners if one.archived == archived and int(one.id) > after]
        body: Json = {"results": [owner(one) for one in rest[:limit]]}
        if len(rest) > limit:
            body["paging"] = _next(request, rest[limit - 1].id)
        return _answer(body)

    def _account(self, request: Request) -> Answer:
        return _answer(
            {
                "portalId": self._portal_id,
                "accountType": "SANDBOX",
                "timeZone": "UTC",
                "companyCurrency": self.business.truth.currency,
                "additionalCurrencies": [],
                "utcOffset": "+00:00",
                "utcOffsetMilliseconds": 0,
                "uiDomain": "app.hubspot.com",
                "dataHostingLocation": "na1",
            }
        )

    def _completed(self, results: list[Json], errors: list[Json]) -> Answer:
        """A batch's answer: 207 where some of the inputs have none, which is no failure."""
        now = iso(self.business.now)
        body: Json = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
        if errors:
            body |= {"numErrors": len(errors), "errors": errors}
        return _answer(body, 207 if errors else 200)


def _answer(body: Json, status: int = 200, *, limited: bool = True) -> Answer:
    """`limited`: with the headers that tell the limit, which a search does not have."""
    return Answer(status, dict(_RATE_LIMIT) if limited else {}, body)


def _next(request: Request, after: str) -> Json:
    query = urlencode({**request.query, "after": after}, doseq=True)
    return {"next": {"after": after, "link": f"http://{request.host}{request.path}?{query}"}}


def _link(kind: ObjectType, other: ObjectType, record_id: str, version: str) -> Json:
    if version == "v3":
        return {"id": record_id, "type": f"{kind.singular}_to_{other.singular}"}
    types = [{"category": "HUBSPOT_DEFINED", "typeId": kind.association_type, "label": None}]
    # A number where every other id is a string, as seen in HubSpot's answers.
    return {"toObjectId": int(record_id), "associationTypes": types}


def _unlinked(kind: ObjectType, other: ObjectType, record_id: str) -> Json:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {other.singular} belongs to {kind.singular} {record_id}.",
        "context": {
            "fromObjectId": [record_id],
            "fromObjectType": [kind.singular],
            "toObjectType": [other.singular],
        },
    }
