"""Odoo's dialect: answers JSON-2 the way Odoo 19 answers it, out of a simulated business.

The sandbox is for reading: its key may not write. Messages are the sandbox's own; statuses, names of errors and shapes
are Odoo's.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from holdwater.sandbox.business import Business
from holdwater.sandbox.dialect import Answer, Json
from holdwater.sandbox.odoo_domain import FORM, Questions, Row, Unfit
from holdwater.sandbox.odoo_models import MODELS, NUMBERS, TRACKING, USER, Model
from holdwater.sandbox.odoo_rows import Rows
from holdwater.sandbox.server import Sandbox, serving

DATABASE = "simulated"
_ADMINISTRATOR = 2

# The named arguments of each method, those first that it cannot do without.
_METHODS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "search": (("domain",), ("offset", "limit", "order")),
    "search_count": (("domain",), ("limit",)),
    "search_read": ((), ("domain", "fields", "offset", "limit", "order", "load")),
    "web_search_read": (("domain", "specification"), ("offset", "limit", "order", "count_limit")),
    "read": ((), ("fields", "load")),
    "web_read": (("specification",), ()),
    "fields_get": ((), ("allfields", "attributes")),
    "context_get": ((), ()),
}
_OF_RECORDS = ("read", "web_read")
_WRITING = ("create", "write", "unlink", "copy", "action_archive", "action_unarchive")


@contextmanager
def serve_odoo(business: Business, *, token: str, administrator: bool = True) -> Iterator[Sandbox]:
    """Serve a business in Odoo's dialect on a free port of 127.0.0.1 until the block ends."""
    with serving(business, token, Odoo(business, token=token, administrator=administrator)) as sandbox:
        yield sandbox


class _Refused(Exception):  # noqa: N818 -- the answer to a bad request, not an error of Holdwater
    """`name`: of the exception that Odoo tells of; without it, the answer is a page for people."""

    def __init__(self, status: int, message: str, name: str | None = None) -> None:
        super().__init__(message)
        self.status, self.name = status, name


def _http(status: int, message: str) -> _Refused:
    names = {400: "BadRequest", 401: "Unauthorized", 404: "NotFound", 422: "UnprocessableEntity"}
    return _Refused(status, message, f"werkzeug.exceptions.{names[status]}")


def _no_access(message: str) -> _Refused:
    return _Refused(403, message, "odoo.exceptions.AccessError")


class Odoo:
    """Answers for one business, one API key and one database; `administrator`: whether the key is an administrator's,
    who alone may read what is tracked."""

    prefixes = ("/json/2",)

    def __init__(self, business: Business, *, token: str, administrator: bool = True) -> None:
        self._token = token
        self._administrator = administrator
        self._rows = Rows(business)
        self._methods: Mapping[str, Callable[[_Call], Any]] = {
            "search": lambda call: [row["id"] for row in call.found()],
            "search_count": lambda call: len(call.found()),
            "search_read": lambda call: [call.shown(row) for row in call.found()],
            "web_search_read": _web_search_read,
            "read": lambda call: [call.shown(row) for row in call.records()],
            "web_read": lambda call: [call.specified(row) for row in call.records()],
            "fields_get": _fields_get,
            "context_get": lambda call: {"lang": "en_US", "tz": False, "uid": _ADMINISTRATOR},
        }

    def answer(self, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            return Answer(200, {}, self._result(method, path, body, headers))
        except Unfit as unfit:
            status = 422 if unfit.name.startswith("odoo.") else 500
            return _error(status, str(unfit), unfit.name)
        except _Refused as refused:
            return _error(refused.status, str(refused), refused.name)

    def _result(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Any:
        if headers.get("x-odoo-database", DATABASE) != DATABASE:
            raise _Refused(404, "No database is selected.")
        if body and not headers.get("content-type", "").startswith("application/json"):
            raise _Refused(415, "The route takes application/json.")
        found = re.fullmatch(r"/json/2/([^/]+)/([^/]+)", path)
        if not found or method != "POST":
            raise _http(404, "Ask with POST /json/2/<model>/<method>.")
        self._check_key(headers.get("authorization", ""))
        return self._call(found[1], found[2], _arguments(body))

    def _check_key(self, given: str) -> None:
        key = re.fullmatch(r"bearer\s+(.+)", given, re.IGNORECASE)
        if not key or not hmac.compare_digest(key[1].encode(), self._token.encode()):
            raise _http(401, "Invalid apikey" if key else "User not authenticated.")

    def _call(self, model: str, method: str, arguments: Json) -> Any:
        ids, context = arguments.pop("ids", []), arguments.pop("context", {})
        if model not in MODELS:
            raise _http(404, f"The sandbox has no model {model}.")
        if method.startswith("_"):
            raise _no_access(f"{model}.{method} is private.")
        if method in _WRITING:
            raise _no_access(f"The key of the sandbox may not change {model}.")
        if method not in _METHODS or (method == "context_get" and model != USER):
            raise _http(404, f"The method {model}.{method} does not exist.")
        if ids and method not in _OF_RECORDS:
            raise _http(422, f"{model}.{method} takes no ids.")
        _check_arguments(method, arguments)
        if model == TRACKING and not self._administrator and method not in ("fields_get",):
            raise _no_access(f"Only an administrator may read {model}.")
        if not isinstance(context, dict):
            raise Unfit("The context is no object.", "builtins.TypeError")
        return self._methods[method](_Call(self._rows, MODELS[model], ids, arguments, context))


class _Call:
    """One call of a method: its arguments, and the rows that the records of all models have at that moment."""

    def __init__(self, rows: Rows, model: Model, ids: Sequence[int], arguments: Json, context: Json) -> None:
        self.model, self.arguments, self._ids, self._context = model, arguments, ids, context
        self._rows = rows
        self._tables: dict[str, dict[int, Row]] = {}
        self._questions = Questions(self._table)

    def found(self) -> list[Row]:
        """The rows that meet the domain, in their order, from the offset on and no more than the limit."""
        domain = self.arguments.get("domain") or []
        rows = self._questions.meeting(self.model.name, domain, self._table(self.model.name).values())
        if self._active_only(domain):
            rows = (row for row in rows if row["active"])
        rows = self._questions.sorted(self.model.name, self.arguments.get("order") or self.model.order, rows)
        offset, most = self.arguments.get("offset") or 0, self.arguments.get("limit") or None
        if type(offset) is not int or offset < 0 or type(most or 0) is not int:
            raise Unfit("The offset or the limit is no number of rows.", "psycopg2.errors.InvalidTextRepresentation")
        return rows[offset : None if most is None else offset + most]

    def records(self) -> list[Row]:
        """Those asked for by number; of what is not there, nothing is said."""
        table = self._table(self.model.name)
        return [table[id_] for id_ in self._ids if id_ in table]

    def shown(self, row: Row) -> Json:
        """What `read` makes of a row: a many2one is its number and its name."""
        fields = self.arguments.get("fields") or list(self.model.fields)
        named = self.arguments.get("load", "_classic_read") == "_classic_read"
        return {"id": row["id"]} | {field: self._value(self.model, row, field, named=named) for field in fields}

    def specified(self, row: Row) -> Json:
        """What `web_read` makes of it: a many2one is a number, or an object where its fields are asked for."""
        return self._specified(self.model, row, self.arguments["specification"])

    def _specified(self, model: Model, row: Row, specification: Mapping[str, Any]) -> Json:
        if not isinstance(specification, dict):
            raise Unfit("The specification is no object.", "builtins.AttributeError")
        shown: Json = {"id": row["id"]}
        for field, inner in specification.items():
            shown[field] = self._value(model, row, field, named=False)
            if shown[field] and field in model.relations and "fields" in inner:
                other = model.relations[field]
                shown[field] = self._specified(MODELS[other], self._table(other)[row[field]], inner["fields"])
        return shown

    def _value(self, model: Model, row: Row, field: str, *, named: bool) -> Any:
        if field not in model.fields:
            raise Unfit(f"Invalid field {field!r} on {model.name!r}")
        value = row[field]
        if value is None:
            return 0 if model.fields[field] in NUMBERS else False
        if isinstance(value, datetime):
            return value.strftime(FORM)
        if isinstance(value, date):
            return value.isoformat()
        if named and field in model.relations:
            return [value, self._table(model.relations[field])[value]["display_name"]]
        return value

    def _active_only(self, domain: Sequence[Any]) -> bool:
        """What is archived is hidden, unless the context or the domain speaks of that."""
        hidden = "active" in self.model.fields and self._context.get("active_test", True)
        return bool(hidden) and not any(isinstance(item, list) and item[0] == "active" for item in domain)

    def _table(self, name: str) -> dict[int, Row]:
        if name not in self._tables:
            self._tables[name] = {row["id"]: row for row in self._rows.of(name)}
        return self._tables[name]


def _web_search_read(call: _Call) -> Json:
    """With the number of all that there are, counted only as far as `count_limit`."""
    rows = call.found()
    length = (call.arguments.get("offset") or 0) + len(rows) if rows else 0
    most = call.arguments.get("count_limit")
    if rows and len(rows) == call.arguments.get("limit") and not (most and most <= length):
        call.arguments |= {"offset": 0, "limit": most}
        length = len(call.found())
    return {"length": length, "records": [call.specified(row) for row in rows]}


def _fields_get(call: _Call) -> Json:
    wanted = call.arguments.get("attributes")
    found = {}
    for field in call.arguments.get("allfields") or call.model.fields:
        if field in call.model.fields:
            all_ = {"name": field, "string": field.replace("_", " ").capitalize(), "type": call.model.fields[field]}
            if field in call.model.relations:
                all_["relation"] = call.model.relations[field]
            found[field] = {name: value for name, value in all_.items() if not wanted or name in wanted}
    return found


def _arguments(body: bytes) -> Json:
    try:
        arguments = json.loads(body or b"{}")
    except ValueError:
        raise _http(400, "The body is no JSON.") from None
    return arguments if isinstance(arguments, dict) else {}


def _check_arguments(method: str, arguments: Json) -> None:
    needed, others = _METHODS[method]
    for name in needed:
        if name not in arguments:
            raise _http(422, f"{method} lacks its argument {name}.")
    for name in arguments:
        if name not in (*needed, *others):
            message = f"{method} got an unexpected argument {name}."
            if method == "search_read":  # which hands on what it does not know
                raise Unfit(message, "builtins.TypeError")
            raise _http(422, message)


def _error(status: int, message: str, name: str | None) -> Answer:
    if name is None:
        page = f"<!DOCTYPE html>\n<title>{status}</title>\n<p>{message}</p>\n"
        return Answer(status, {"Content-Type": "text/html; charset=utf-8"}, page)
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    arguments = [message, status] if name.startswith("werkzeug.") else [message]
    debug = f"Traceback (most recent call last):\n{name}: {message}\n"
    body: Json = {"name": name, "message": message, "arguments": arguments, "context": {}, "debug": debug}
    return Answer(status, headers, body)
