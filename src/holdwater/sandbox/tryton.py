"""Tryton's dialect: answers JSON-RPC the way a Tryton of the 8.2 series does, out of a simulated business.

A refusal before a method runs is a status of HTTP; what goes wrong inside of it comes with status 200, as an `error`.
Messages are the sandbox's own, statuses and shapes are Tryton's. Answers are not compressed, and of the ways to
identify oneself only the session is known.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from holdwater.sandbox.business import Business
from holdwater.sandbox.dialect import Answer, Json
from holdwater.sandbox.tryton_rows import Records
from holdwater.sandbox.tryton_search import Search, understood, written

DATABASE = "simulated"
USER_ID = 2
SERIES = "8.2"
_ENVELOPE = {"id", "method", "params"}
_BARE = {"UserError": 400, "LoginException": 403}  # what an error is where there is no envelope for it
_WRONG_PASSWORDS = 5  # within the next of one login, before it is shut out
_SHUT_OUT = timedelta(minutes=5)


class Tryton:
    """Answers for one business in one database, to one user; a session lasts so long by the clock of the business."""

    def __init__(
        self,
        business: Business,
        *,
        login: str,
        password: str,
        database: str = DATABASE,
        lasts: timedelta = timedelta(days=30),
    ) -> None:
        self.business = business
        self.prefixes = (f"/{database}/rpc/", "/rpc/")
        self._login, self._password = login, password
        self._lasts = lasts
        self._sessions: dict[str, datetime] = {}
        self._wrong: defaultdict[str, list[datetime]] = defaultdict(list)  # when somebody failed to get in, by login
        self._records = Records(business)
        self._methods: Mapping[str, Callable[..., Any]] = {
            "search": self._search,
            "search_count": self._search_count,
            "search_read": self._search_read,
            "read": self._read,
            "history_revisions": self._history_revisions,
        }

    def answer(self, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            question = _question(method, body, headers.get("content-type", ""))
            result = self._result(path, question, headers.get("authorization", ""))
        except _Refused as refused:
            return Answer(refused.status, {"Content-Type": "text/html; charset=utf-8", **refused.headers}, str(refused))
        said = {"error": result.args} if isinstance(result, _Error) else {"result": result}
        if question.keys() == _ENVELOPE:
            return Answer(200, {}, {"id": question["id"], **said})
        if isinstance(result, _Error):
            return Answer(_BARE.get(result.args[0], 500), {}, "")
        return Answer(200, {}, json.dumps(result))

    def _result(self, path: str, question: Json, authorization: str) -> Any:
        method, params = str(question["method"]), question["params"] or []
        try:
            if path == "/rpc/":
                return {"common.server.version": SERIES}[method]
            if method == "common.db.login":
                return self._let_in(*params)
            session = self._session(authorization)
            if method == "common.db.logout":
                del self._sessions[session]
                return None
            return self._call(method, list(params))
        except _Error as error:
            return error
        except (KeyError, TypeError, ValueError, IndexError) as error:  # Tryton's own slips look like that as well
            return _Error(str(error), "")

    def _let_in(self, login: object, parameters: Mapping[str, str], language: str | None = None) -> list[object]:
        if not isinstance(login, str):
            raise _Refused(400)
        now = self.business.now
        lately = self._wrong[login] = [at for at in self._wrong[login] if now - at < _SHUT_OUT]
        if len(lately) > _WRONG_PASSWORDS:
            raise _Refused(429)
        if "password" not in parameters:
            raise _Error("LoginException", ["password", f"Password for {login}", "password"])
        known = hmac.compare_digest(login.encode(), self._login.encode())
        if not hmac.compare_digest(parameters["password"].encode(), self._password.encode()) or not known:
            lately.append(now)
            raise _Refused(401)
        session = secrets.token_hex()
        self._sessions[session] = now
        return [USER_ID, session, None]

    def _session(self, authorization: str) -> str:
        """That of the header, if it is one that has not ended."""
        scheme, _, told = authorization.partition(" ")
        try:
            login, user_id, session = base64.b64decode(told).decode().split(":")
        except ValueError:  # also what is no base64, and no text
            login, user_id, session = "", "", ""
        began = self._sessions.get(session)
        mine = (scheme.lower(), login, user_id) == ("session", self._login, str(USER_ID))
        if not mine or began is None or self.business.now - began >= self._lasts:
            raise _Refused(401, {"WWW-Authenticate": 'Basic realm="Tryton"', "Content-Type": "text/plain"})
        return session

    def _call(self, method: str, params: list[Any]) -> Any:
        kind, _, rest = method.partition(".")
        model, _, name = rest.rpartition(".")
        if kind != "model" or model not in self._records.models:
            raise KeyError(model)
        if name not in self._methods or (name == "history_revisions" and model != "sale.opportunity"):
            raise _Refused(403)
        if not params or not isinstance(params[-1], dict):
            raise _Refused(422)
        *asked, context = params
        return self._methods[name](Search(self._records, model, context), *asked)

    def _search(
        self, search: Search, domain: list[Any], offset: int = 0, limit: int | None = None, order: Any = None
    ) -> list[int]:
        return [row["id"] for row in search.read(search.search(domain, offset, limit, order), [])]

    def _search_count(self, search: Search, domain: list[Any], offset: int = 0, limit: int | None = None) -> int:
        return len(search.search(domain, offset, limit, None))

    def _search_read(
        self,
        search: Search,
        domain: list[Any],
        offset: int = 0,
        limit: int | None = None,
        order: Any = None,
        fields_names: list[str] | None = None,
    ) -> list[Json]:
        return search.read(search.search(domain, offset, limit, order), fields_names or [])

    def _read(self, search: Search, ids: list[int], fields_names: list[str]) -> list[Json]:
        found = search.of(ids)
        if len(found) < len(set(ids)):
            raise _Error("UserError", ["Some of these records do not exist.", "", None])
        return search.read(found, fields_names)

    def _history_revisions(self, search: Search, ids: list[int]) -> list[list[object]]:
        return [[written(at), id_, None] for at, id_ in self._records.revisions(ids)]


class _Refused(Exception):  # noqa: N818 -- the answer to a bad request, not an error of Holdwater
    """An answer of HTTP alone."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__("" if headers else f"<!doctype html>\n<title>{status}</title>\n")
        self.status = status
        self.headers = headers or {}


class _Error(Exception):
    """An `error`: of what kind, and what there is to say."""


def _question(method: str, body: bytes, content_type: str) -> Json:
    if method != "POST":
        raise _Refused(405)
    if "json" not in content_type:
        raise _Refused(400)
    try:
        question = json.loads(body, object_hook=understood)
    except (ValueError, KeyError, TypeError):
        raise _Refused(400) from None
    if not isinstance(question, dict) or not {"method", "params"} <= question.keys():
        raise _Refused(400)
    return question
