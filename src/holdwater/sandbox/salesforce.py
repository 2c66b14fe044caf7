"""Salesforce's dialect: answers requests the way Salesforce answers them, out of a simulated business.

Any version from 40.0 on has one handler. Messages are the sandbox's own; statuses, error codes and shapes are
Salesforce's.
"""

from __future__ import annotations

import base64
import csv
import hmac
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from holdwater.sandbox.business import Business
from holdwater.sandbox.dialect import Answer, Json
from holdwater.sandbox.salesforce_rows import Rows, record_id
from holdwater.sandbox.salesforce_soql import BadQuery, Query, Row
from holdwater.sandbox.salesforce_types import MONEY_OBJECTS, TYPES, ObjectType

CONSUMER_KEY = "simulated-consumer-key"
FEWEST, MOST = 200, 2000  # rows of one answer
CURSORS = 10  # that stay open
_DATA = r"/services/data/v[4-9]\d\.0"


def refused(status: int, code: str, message: str = "Simulated.") -> tuple[int, dict[str, str], bytes]:
    """Salesforce's refusal, to put in the place of an answer."""
    body = json.dumps([{"message": message, "errorCode": code}]).encode()
    return status, {"Content-Type": "application/json;charset=UTF-8"}, body


class _Refused(Exception):  # noqa: N818 -- the answer to a bad request, not an error of Holdwater
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Salesforce:
    """Answers for one business and one External Client App: its consumer key is `CONSUMER_KEY`, its secret `secret`.

    `multi_currency`: whether records name their currency. `end_sessions` makes every access token so far worthless.
    `unfilterable`: fields ("Task.SystemModstamp") that no condition may be about. `hidden`: objects and fields that
    the user of the app may not see.
    """

    prefixes = ("/services/",)

    def __init__(
        self,
        business: Business,
        *,
        secret: str,
        multi_currency: bool = False,
        unfilterable: Sequence[str] = (),
        hidden: Sequence[str] = (),
    ) -> None:
        self.business = business
        self._secret = secret
        self._multi_currency = multi_currency
        self._unfilterable, self._hidden = frozenset(unfilterable), frozenset(hidden)
        self._rows = Rows(business)
        self._sessions: set[str] = set()
        self._given = self._asked = 0
        self._cursors: dict[str, tuple[ObjectType, Sequence[str], list[Row]]] = {}
        self._jobs: dict[str, _Job] = {}
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Answer]]] = [
            ("GET", re.compile(_DATA + r"/connect/organization"), self._organization),
            ("GET", re.compile(_DATA + r"/sobjects/(?P<name>\w+)/describe"), self._describe),
            ("GET", re.compile(_DATA + r"/(?P<how>query|queryAll)"), self._query),
            ("GET", re.compile(_DATA + r"/(?:query|queryAll)/(?P<cursor>[\w-]+)"), self._more),
            ("POST", re.compile(_DATA + r"/jobs/query"), self._new_job),
            ("GET", re.compile(_DATA + r"/jobs/query/(?P<job>\w+)"), self._job),
            ("GET", re.compile(_DATA + r"/jobs/query/(?P<job>\w+)/results"), self._results),
        ]

    def end_sessions(self) -> None:
        self._sessions.clear()

    def answer(self, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        asked = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
        if path == "/services/oauth2/token":
            return self._token(body, headers)
        try:
            self._check_session(headers.get("authorization", ""))
            respond = self._route(method, path)
            answer = respond(asked, body, headers)
        except BadQuery as bad:
            answer = Answer(400, {}, [{"message": str(bad), "errorCode": bad.code}])
        except _Refused as one:
            answer = Answer(one.status, {}, [{"message": str(one), "errorCode": one.code}])
        self._asked += 1
        usage = {"Sforce-Limit-Info": f"api-usage={self._asked}/15000"}
        return Answer(answer.status, usage | answer.headers, answer.body)

    def _check_session(self, given: str) -> None:
        if not any(_equal(given, f"Bearer {one}") for one in self._sessions):
            raise _Refused(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def _route(self, method: str, path: str) -> Callable[..., Answer]:
        for verb, known, respond in self._routes:
            found = known.fullmatch(path.rstrip("/"))
            if found and verb == method:
                return partial(respond, **found.groupdict())
        raise _Refused(404, "NOT_FOUND", "The requested resource does not exist")

    def _token(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The client credentials flow, with the credentials in the header or in the form."""
        form = {name: values[-1] for name, values in parse_qs(body.decode()).items()}
        given = headers.get("authorization", "")
        if not given and "client_id" in form:
            given = _basic(form["client_id"], form.get("client_secret", ""))
        if form.get("grant_type") != "client_credentials":
            return _oauth("unsupported_grant_type", "grant type not supported")
        if not _equal(given, _basic(CONSUMER_KEY, self._secret)):
            return _oauth("invalid_client", "invalid client credentials")
        self._given += 1
        organization, user = record_id("Organization", 1), record_id("User", self.business.owners[0].id)
        session = f"{organization[:15]}!simulated.{self._given}"
        self._sessions.add(session)
        host = headers.get("host", "")
        return Answer(
            200,
            {},
            {
                "access_token": session,
                "signature": "simulated",
                "scope": "api",
                "instance_url": f"https://{host}",
                "id": f"https://{host}/id/{organization}/{user}",
                "token_type": "Bearer",
                "issued_at": str(int(self.business.now.timestamp() * 1000)),
            },
        )

    def _organization(self, asked: Mapping[str, str], body: bytes, headers: Mapping[str, str]) -> Answer:
        currency = None if self._multi_currency else self.business.truth.currency
        features = {"multiCurrency": self._multi_currency, "defaultCurrencyIsoCode": currency}
        organization = {"orgId": record_id("Organization", 1), "name": "Simulated organisation", "features": features}
        return Answer(200, {}, organization)

    def _describe(self, asked: Mapping[str, str], body: bytes, headers: Mapping[str, str], name: str) -> Answer:
        fields = [
            {
                "name": field,
                "type": type_,
                "custom": field.endswith("__c"),
                "filterable": f"{name}.{field}" not in self._unfilterable,
                "sortable": f"{name}.{field}" not in self._unfilterable,
            }
            for field, type_ in self._fields(self._type(name, 404, "NOT_FOUND")).items()
        ]
        return Answer(200, {}, {"name": name, "queryable": True, "fields": fields})

    def _query(self, asked: Mapping[str, str], body: bytes, headers: Mapping[str, str], how: str) -> Answer:
        kind, query, rows = self._run(asked.get("q", ""), everything=how == "queryAll")
        if not query.fields:
            return Answer(200, {}, {"totalSize": len(rows), "done": True, "records": []})
        self._given += 1
        name = f"01g{self._given:012}AAA"
        self._cursors[name] = (kind, query.fields, rows)
        answer = self._page(name, 0, _batch_size(headers.get("sforce-query-options", "")))
        if answer.body["done"]:
            del self._cursors[name]
        for old in list(self._cursors)[:-CURSORS]:
            del self._cursors[old]
        return answer

    def _more(self, asked: Mapping[str, str], body: bytes, headers: Mapping[str, str], cursor: str) -> Answer:
        name, _, offset = cursor.partition("-")
        if name not in self._cursors or not offset.isdecimal():
            raise _Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(name, int(offset), _batch_size(headers.get("sforce-query-options", "")))

    def _page(self, name: str, offset: int, size: int) -> Answer:
        kind, fields, rows = self._cursors[name]
        end = offset + size
        body: Json = {"totalSize": len(rows), "done": end >= len(rows)}
        if not body["done"]:
            body["nextRecordsUrl"] = f"/services/data/v67.0/query/{name}-{end}"
        return Answer(200, {}, body | {"records": [_record(kind, fields, row) for row in rows[offset:end]]})

    def _new_job(self, asked: Mapping[str, str], body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            wanted = json.loads(body)
            operation, text = wanted["operation"], wanted["query"]
        except (ValueError, TypeError, KeyError):
            raise _Refused(400, "INVALIDJOB", "A job needs an operation and a query.") from None
        if operation not in ("query", "queryAll"):
            raise _Refused(400, "INVALIDJOB", f"No operation {operation} here.")
        kind, query, rows = self._run(text, everything=operation == "queryAll")
        if not query.fields:
            raise _Refused(400, "API_ERROR", "Aggregate queries are not supported.")
        line_end = {"LF": "\n", "CRLF": "\r\n"}[wanted.get("lineEnding", "LF")]
        name = record_id("Job", len(self._jobs) + 1)
        self._jobs[name] = _Job(name, operation, kind.name, query.fields, rows, line_end)
        return Answer(200, {}, self._jobs[name].shown())

    def _job(self, asked: Mapping[str, str], body: bytes, headers: Mapping[str, str], job: str) -> Answer:
        found = self._found(job)
        found.asked += 1  # it is done when somebody asks a second time
        return Answer(200, {}, found.shown())

    def _results(self, asked: Mapping[str, str], body: bytes, headers: Mapping[str, str], job: str) -> Answer:
        found = self._found(job)
        if found.state != "JobComplete":
            raise _Refused(409, "INVALIDJOBSTATE", "The job is not complete.")
        place, size = asked.get("locator", "0"), asked.get("maxRecords", "100000")
        if not place.isdecimal() or not size.isdecimal() or not int(size):
            raise _Refused(400, "INVALID_LOCATOR", "The locator is not of this job.")
        start, end = int(place), int(place) + int(size)
        answered = {
            "Content-Type": "text/csv; charset=UTF-8",
            "Sforce-NumberOfRecords": str(len(found.rows[start:end])),
            "Sforce-Locator": str(end) if end < len(found.rows) else "null",
        }
        return Answer(200, answered, found.csv(start, end))

    def _found(self, job: str) -> _Job:
        if job not in self._jobs:
            raise _Refused(404, "NOT_FOUND", "There is no such job.")
        return self._jobs[job]

    def _run(self, text: str, *, everything: bool) -> tuple[ObjectType, Query, list[Row]]:
        """`everything`: with what was deleted or archived."""
        query = Query.parse(text)
        kind = self._type(query.object, 400, "INVALID_TYPE")
        known = self._fields(kind)
        for field in (*query.fields, *sorted(query.filters)):
            if field not in known:
                raise BadQuery("INVALID_FIELD", f"No such column '{field}' on entity '{kind.name}'.")
        for field in sorted(query.filters):
            if f"{kind.name}.{field}" in self._unfilterable:
                raise BadQuery("INVALID_FIELD", f"field '{field}' can not be filtered in a query call")
        rows = self._rows.of(kind.name)
        if not everything:
            rows = (row for row in rows if not row.get("IsDeleted") and not row.get("IsArchived"))
        return kind, query, query.run(rows)

    def _type(self, name: str, status: int, code: str) -> ObjectType:
        if name not in TYPES or name in self._hidden:
            raise _Refused(status, code, f"sObject type '{name}' is not supported.")
        return TYPES[name]

    def _fields(self, kind: ObjectType) -> Mapping[str, str]:
        return {
            field: type_
            for field, type_ in kind.fields.items()
            if f"{kind.name}.{field}" not in self._hidden
            and (field != "CurrencyIsoCode" or (self._multi_currency and kind.name in MONEY_OBJECTS))
        }


class _Job:
    """A query that runs on its own; its rows are those of the moment at which it was asked for."""

    def __init__(
        self, name: str, operation: str, kind: str, fields: Sequence[str], rows: Sequence[Row], line_end: str
    ) -> None:
        self.name, self.operation, self.kind = name, operation, kind
        self.fields, self.rows, self._line_end = fields, [dict(row) for row in rows], line_end
        self.asked = 0

    @property
    def state(self) -> str:
        return ("UploadComplete", "InProgress", "JobComplete")[min(self.asked, 2)]

    def shown(self) -> Json:
        return {
            "id": self.name,
            "operation": self.operation,
            "object": self.kind,
            "state": self.state,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF" if self._line_end == "\n" else "CRLF",
            "concurrencyMode": "Parallel",
            "apiVersion": 67.0,
        }

    def csv(self, start: int, end: int) -> str:
        out = io.StringIO()
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator=self._line_end)
        writer.writerow(self.fields)
        writer.writerows([_cell(row[field]) for field in self.fields] for row in self.rows[start:end])
        return out.getvalue()


def _record(kind: ObjectType, fields: Sequence[str], row: Row) -> Json:
    attributes = {"type": kind.name, "url": f"/services/data/v67.0/sobjects/{kind.name}/{row['Id']}"}
    return {"attributes": attributes} | {field: _value(row[field]) for field in fields}


def _value(value: Any) -> Any:
    """As JSON has it: the offset of a moment is without a colon."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return value.isoformat() if isinstance(value, date) else value


def _cell(value: Any) -> str:
    """As CSV has it: Z for UTC, small letters, nothing for what is empty."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _batch_size(options: str) -> int:
    found = re.search(r"batchSize\s*=\s*(\d+)", options)
    return max(FEWEST, min(MOST, int(found[1]))) if found else MOST


def _basic(key: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def _equal(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def _oauth(code: str, description: str) -> Answer:
    return Answer(400, {}, {"error": code, "error_description": description})
