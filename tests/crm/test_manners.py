"""What differs from vendor to vendor: the header of the token, tokens that end, rate headers, quotas."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.manners import Manners
from holdwater.errors import CredentialsError, QuotaError

BASE = "https://crm.example"


def client(handler: Callable[[httpx.Request], httpx.Response], **options: object) -> Client:
    return Client(BASE, Token("first"), transport=httpx.MockTransport(handler), **options)  # type: ignore[arg-type] # as a caller would


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    sleeps: list[float] = []
    monkeypatch.setattr(time, "sleep", sleeps.append)
    return sleeps


def test_the_token_goes_into_the_vendors_own_header() -> None:
    seen: list[httpx.Headers] = []

    def server(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, json={})

    manners = Manners(header="x-api-key", scheme="", headers={"Stripe-Version": "2026-01-01"})
    with client(server, manners=manners) as crm:
        crm.get_json("/deals")
    assert (seen[0]["x-api-key"], seen[0]["stripe-version"]) == ("first", "2026-01-01")
    assert "authorization" not in seen[0]


class Expiring:
    """A server that takes each token three times."""

    def __init__(self) -> None:
        self.taken: dict[str, int] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        token = request.headers["authorization"]
        self.taken[token] = self.taken.get(token, 0) + 1
        return httpx.Response(200, json={}) if self.taken[token] <= 3 else httpx.Response(401)


def test_a_token_that_ends_midway_is_renewed_each_time(slept: list[float]) -> None:
    issued = iter(range(1, 100))
    with client(Expiring(), renew=lambda: Token(f"next{next(issued)}")) as crm:
        for _ in range(10):
            crm.get_json("/deals")
        assert (crm.requests, crm.retries) == (13, 3)


def test_threads_renew_a_token_once(slept: list[float]) -> None:
    issued = iter(range(1, 100))
    with client(Expiring(), renew=lambda: Token(f"next{next(issued)}")) as crm, ThreadPoolExecutor(8) as pool:
        crm.get_json("/deals")
        assert len(list(pool.map(lambda _: crm.get_json("/deals"), range(2)))) == 2
        crm.get_json("/deals")
        assert next(issued) == 2


def test_a_token_that_was_never_taken_is_not_renewed(slept: list[float]) -> None:
    def never() -> Token:
        pytest.fail("asked for a token though the first was refused")

    with client(lambda _: httpx.Response(401), renew=never) as crm, pytest.raises(CredentialsError):
        crm.get_json("/deals")


def test_the_headers_of_an_answer_may_ask_for_a_pause(slept: list[float]) -> None:
    manners = Manners(pause=lambda headers: float(headers.get("x-wait", 0)))
    replies = iter([{"x-wait": "2"}, {}, {"x-wait": "9000"}, {}])
    with client(lambda _: httpx.Response(200, json={}, headers=next(replies)), manners=manners) as crm:
        for _ in range(4):
            crm.get_json("/deals")
    assert slept == pytest.approx([2, 60], abs=0.2)  # no header may stop us for hours


def test_a_used_up_quota_ends_the_run_at_once() -> None:
    asked: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(403, json=[{"errorCode": "REQUEST_LIMIT_EXCEEDED"}])

    manners = Manners(used_up=lambda status, _headers, body: status == 403 and b"REQUEST_LIMIT_EXCEEDED" in body)
    with client(server, manners=manners) as crm, pytest.raises(QuotaError, match="run again when the vendor"):
        crm.get_json("/deals")
    assert asked == ["/deals"]


def test_an_answer_that_is_no_json_comes_as_it_is() -> None:
    with client(lambda _: httpx.Response(200, text="Id,Name\n1,\n", headers={"Sforce-Locator": "null"})) as crm:
        answer = crm.get("/results", accept="text/csv")
    assert (bytes(answer.body), answer.headers["Sforce-Locator"]) == (b"Id,Name\n1,\n", "null")
