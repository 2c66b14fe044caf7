"""Pipedrive's dialect: answers requests the way Pipedrive answers them, out of a simulated business.

v2 has cursors, v1 has offsets, its own way to write moments, and what v2 lacks: users, leads, changelogs.
Every request costs tokens of a daily budget. Messages are the sandbox's own; statuses and shapes are Pipedrive's.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from urllib.parse import parse_qsl

from holdwater.sandbox.business import Business
from holdwater.sandbox.dialect import Answer, Json
from holdwater.sandbox.pipedrive_request import LIMIT, Query, Refused
from holdwater.sandbox.pipedrive_rows import PIPELINE, Rows, iso, stage, user

COMPANY_ID = 54235233  # a simulated account unless told otherwise
_Respond = Callable[[Query, Mapping[str, str]], Json]


class Pipedrive:
    """Answers for one business and one token.

    `daily_tokens` is the budget of a day by the clock of the business, `spent` what is gone of it. `marketing` is
    whether the account has the add-on without which nothing is known of what persons allow. `archive_after` is how
    long the firm leaves leads and closed deals alone before it archives them.
    """

    prefixes = ("/api/v2/", "/v1/deals", "/v1/leads", "/v1/leadSources", "/v1/users")

    def __init__(
        self,
        business: Business,
        *,
        token: str,
        daily_tokens: int = 10_000_000,
        company_id: int = COMPANY_ID,
        marketing: bool = True,
        archive_after: timedelta = timedelta(days=60),
    ) -> None:
        self.business = business
        self.daily_tokens = daily_tokens
        self.spent = 0
        self._day: date | None = None
        self._token = token
        self._company_id = company_id
        self._marketing = marketing
        self._rows = Rows(business, archive_after)
        self._routes: list[tuple[re.Pattern[str], int, _Respond]] = [
            (re.compile("/api/v2/(?P<name>deals)"), 10, self._deals),
            (re.compile("/api/v2/(?P<name>deals/archived)"), 20, self._deals),
            (re.compile("/api/v2/(?P<name>persons)"), 10, self._persons),
            (re.compile("/api/v2/(?P<name>activities)"), 10, self._activities),
            (re.compile("/api/v2/(?P<name>stages)"), 5, self._stages),
            (re.compile("/api/v2/(?P<name>pipelines)"), 5, self._pipelines),
            (re.compile("/api/v2/(?P<name>dealFields)"), 10, self._fields),
            (re.compile(r"/v1/deals/(?P<id>\d+)/changelog"), 20, self._changelog),
            (re.compile("/v1/leads"), 20, self._leads),
            (re.compile("/v1/leads/(?P<archived>archived)"), 40, self._leads),
            (re.compile("/v1/leadSources"), 2, self._sources),
            (re.compile("/v1/users"), 20, self._users),
            (re.compile("/v1/users/me"), 2, self._me),
        ]

    def answer(self, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            self._check_token(headers.get("x-api-token", ""))
            cost, respond, parts = self._route(method, path)
            self._spend(cost)
            return self._answer(respond(Query(dict(parse_qsl(query, keep_blank_values=True))), parts))
        except Refused as refused:
            return self._answer({"success": False, "error": str(refused), "errorCode": refused.status}, refused.status)

    def _check_token(self, given: str) -> None:
        """A token in the address would come into logs: v2 does not look there."""
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise Refused(401, "unauthorized access")

    def _answer(self, body: Json, status: int = 200) -> Answer:
        """The sandbox never slows a client down: the window of two seconds is as good as empty."""
        left = max(0, self.daily_tokens - self.spent)
        headers = {
            "x-ratelimit-limit": "80",
            "x-ratelimit-remaining": "79",
            "x-ratelimit-reset": "2",
            "x-daily-ratelimit-token-limit": str(self.daily_tokens),
            "x-daily-ratelimit-token-remaining": str(left),
        }
        return Answer(status, headers, body)

    def _route(self, method: str, path: str) -> tuple[int, _Respond, Mapping[str, str]]:
        for known, cost, respond in self._routes:
            if match := known.fullmatch(path.rstrip("/")):
                if method != "GET":
                    raise Refused(405, f"{path} does not take {method}; the sandbox is for reading")
                return cost, respond, match.groupdict()
        raise Refused(404, f"The sandbox has nothing at {path}")

    def _spend(self, cost: int) -> None:
        today = self.business.now.date()
        if today != self._day:
            self._day, self.spent = today, 0
        if self.spent + cost > self.daily_tokens:
            self.spent = self.daily_tokens
            raise Refused(429, "The daily API token budget is used up")
        self.spent += cost

    def _deals(self, query: Query, parts: Mapping[str, str]) -> Json:
        query.check(parts["name"])
        found = self._rows.deals(archived=parts["name"] == "deals/archived", statuses=query.statuses())
        page, cursor = query.page(found)
        include = query.several("include_fields")
        return _page([self._rows.show_deal(one, include) for one in page], cursor)

    def _persons(self, query: Query, parts: Mapping[str, str]) -> Json:
        query.check(parts["name"])
        include = query.several("include_fields")
        if not self._marketing and {"marketing_status", "doi_status"} & set(include):
            raise Refused(400, "The company has no marketing app")
        page, cursor = query.page(self._rows.persons())
        return _page([self._rows.show_person(one, include) for one in page], cursor)

    def _activities(self, query: Query, parts: Mapping[str, str]) -> Json:
        query.check(parts["name"])
        page, cursor = query.page(self._rows.activities())
        return _page([self._rows.show_activity(one, ()) for one in page], cursor)

    def _stages(self, query: Query, parts: Mapping[str, str]) -> Json:
        query.check(parts["name"])
        return _page([stage(one, number) for number, one in enumerate(self._rows.open_stages(), 1)], None)

    def _pipelines(self, query: Query, parts: Mapping[str, str]) -> Json:
        query.check(parts["name"])
        known = self.business.pipeline
        row = {
            "id": PIPELINE,
            "name": known.label,
            "order_nr": 0,
            "is_deleted": False,
            "is_deal_probability_enabled": True,
            "add_time": iso(known.created),
            "update_time": iso(known.modified),
        }
        return _page([row], None)

    def _fields(self, query: Query, parts: Mapping[str, str]) -> Json:
        query.check(parts["name"])
        options = [{"id": number, "label": name} for name, number in self._rows.channels().items()]
        rows: list[Json] = [
            {"field_name": "Title", "field_code": "title", "field_type": "varchar", "options": None},
            {"field_name": "Source channel", "field_code": "channel", "field_type": "enum", "options": options},
        ]
        return _page([{**row, "subfields": None, "is_custom_field": False} for row in rows], None)

    def _changelog(self, query: Query, parts: Mapping[str, str]) -> Json:
        deal = self._rows.deal(parts["id"])
        if deal is None:
            raise Refused(404, "Deal not found")
        entries = self._rows.changelog(deal)
        start, limit = query.number("cursor", 0, 10**9), query.number("limit", 100, LIMIT)
        end = start + limit
        return _page(entries[start:end], str(end) if end < len(entries) else None)

    def _leads(self, query: Query, parts: Mapping[str, str]) -> Json:
        archived = bool(parts.get("archived"))
        found = list(self._rows.leads(archived=archived))
        start, limit = query.number("start", 0, 10**9), query.number("limit", 100, LIMIT)
        end = start + limit
        pagination: Json = {"start": start, "limit": limit, "more_items_in_collection": end < len(found)}
        if end < len(found):
            pagination["next_start"] = end
        rows = [self._rows.show_lead(one, archived=archived) for one in found[start:end]]
        return {"success": True, "data": rows, "additional_data": {"pagination": pagination}}

    def _sources(self, query: Query, parts: Mapping[str, str]) -> Json:
        return {"success": True, "data": [{"name": name} for name in ("Manually created", "Import", "API")]}

    def _users(self, query: Query, parts: Mapping[str, str]) -> Json:
        rows = [user(one, you=place == 0) for place, one in enumerate(self.business.owners)]
        return {"success": True, "data": rows}

    def _me(self, query: Query, parts: Mapping[str, str]) -> Json:
        row = user(self.business.owners[0], you=True)
        company = {
            "company_id": self._company_id,
            "company_name": "Simulated company",
            "company_domain": "simulated",
            "company_country": "US",
            "company_industry": None,
            "language": {"language_code": "en", "country_code": "US"},
        }
        return {"success": True, "data": row | company}


def rate_limited() -> tuple[int, dict[str, str], bytes]:
    """Pipedrive's refusal of one request too many in two seconds, to put in the place of an answer."""
    headers = {"Content-Type": "application/json", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}
    return 429, headers, json.dumps({"success": False, "error": "rate limit exceeded", "errorCode": 429}).encode()


def blocked() -> tuple[int, dict[str, str], bytes]:
    """What stands before Pipedrive answers to whoever goes on after that, to put in the place of an answer."""
    return 403, {"Content-Type": "text/html"}, b"<!DOCTYPE html><title>Access denied</title>"


def _page(rows: list[Json], cursor: str | None) -> Json:
    return {"success": True, "data": rows, "additional_data": {"next_cursor": cursor}}
