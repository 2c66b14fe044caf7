"""The sandbox's server, over a real socket."""

from __future__ import annotations

import gc
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from holdwater.sandbox import Business, Sandbox, rate_limited, serve

DEALS = "/crm/objects/2026-09/deals"


@pytest.fixture
def sandbox(small: Business) -> Iterator[Sandbox]:
    with serve(small, token="open") as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, headers={"Authorization": "Bearer open"}) as opened:
        yield opened


def test_it_listens_on_loopback_alone(sandbox: Sandbox) -> None:
    assert sandbox.url.startswith("http://127.0.0.1:")
    assert sandbox.token == "open"


def test_answers_say_they_are_simulated_and_live_in_simulated_time(sandbox: Sandbox, client: httpx.Client) -> None:
    for path in (DEALS, "/crm/nothing", "/"):
        answer = client.get(path)
        assert answer.headers["X-Holdwater-Simulated"] == "true"
        assert parsedate_to_datetime(answer.headers["Date"]) == datetime(2026, 10, 31, 12, tzinfo=UTC)
        assert answer.headers.get_list("Date") == [answer.headers["Date"]]
        assert answer.headers["Content-Type"].startswith("application/json")
    sandbox.business.wait_until(sandbox.business.now + timedelta(seconds=90.7))
    assert client.get(DEALS).headers["Date"] == "Sat, 31 Oct 2026 12:01:30 GMT"


def test_the_account_is_served_beside_the_crm(small: Business) -> None:
    with serve(small, portal_id=77) as sandbox:
        for version in ("2026-09", "v3"):
            headers = {"Authorization": f"Bearer {sandbox.token}"}
            answer = httpx.get(f"{sandbox.url}/account-info/{version}/details", headers=headers)
            assert (answer.status_code, answer.json()["portalId"]) == (200, 77)


def test_requests_are_kept_in_order(sandbox: Sandbox, client: httpx.Client) -> None:
    assert client.get(DEALS, params={"limit": 1}).status_code == 200
    assert client.post(f"{DEALS}/search", json={}).status_code == 400
    assert client.delete(f"{DEALS}/7001").status_code == 405
    assert client.get("/elsewhere").status_code == 404
    expected = [("GET", DEALS), ("POST", f"{DEALS}/search"), ("DELETE", f"{DEALS}/7001"), ("GET", "/elsewhere")]
    assert sandbox.requests == expected


def test_one_connection_serves_many_requests(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"))
    body = json.dumps({"inputs": [{"id": "7001"}]})
    used = set()
    for _ in range(3):
        connection.request("POST", f"{DEALS}/batch/read", body, {"Authorization": "Bearer open"})
        answer = connection.getresponse()
        assert (answer.status, answer.version) == (200, 11)
        assert len(json.loads(answer.read())["results"]) == 1
        used.add(connection.sock.getsockname())
    connection.close()
    assert len(used) == 1


def test_a_fault_can_stand_in_the_place_of_an_answer(sandbox: Sandbox, client: httpx.Client) -> None:
    seen: list[tuple[int, str]] = []

    def second_is_too_many(number: int, path: str) -> tuple[int, dict[str, str], bytes] | None:
        seen.append((number, path))
        return rate_limited(retry_after=1) if number == 2 else None

    sandbox.on_request = second_is_too_many
    statuses = [client.get(DEALS).status_code for _ in range(3)]
    assert statuses == [200, 429, 200]
    assert seen == [(1, DEALS), (2, DEALS), (3, DEALS)]
    sandbox.on_request = lambda number, path: (503, {"Content-Type": "text/html"}, b"<p>busy</p>")
    answer = client.get(DEALS)
    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (503, "<p>busy</p>", "text/html")


def test_the_business_may_change_between_requests(sandbox: Sandbox, client: httpx.Client) -> None:
    def changes(number: int, path: str) -> None:
        sandbox.business.open_deal(None, at=sandbox.business.now + timedelta(minutes=1))

    deals = len(sandbox.business.deals)
    sandbox.on_request = changes
    body = {"filterGroups": [], "sorts": [], "properties": [], "limit": 1, "after": "0"}
    assert [client.post(f"{DEALS}/search", json=body).json()["total"] for _ in range(2)] == [deals + 1, deals + 2]


def test_many_clients_at_once(sandbox: Sandbox) -> None:
    def ask() -> None:
        with httpx.Client(base_url=sandbox.url, headers={"Authorization": "Bearer open"}) as client:
            answers.extend(client.get(DEALS, params={"limit": 5}).text for _ in range(5))

    answers: list[str] = []
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 40
    assert len(set(answers)) == 1


def test_the_wall_of_a_search_can_be_lowered(small: Business) -> None:
    body = {"filterGroups": [], "sorts": [], "properties": [], "limit": 20, "after": "0"}
    with serve(small, search_cap=30) as sandbox:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        statuses = [
            httpx.post(f"{sandbox.url}{DEALS}/search", json=body | {"after": after}, headers=headers).status_code
            for after in ("0", "10", "11")
        ]
    assert statuses == [200, 200, 400]


def test_leaving_closes_every_connection_and_thread(small: Business) -> None:
    before = threading.active_count()
    with serve(small) as sandbox:
        host, port = sandbox.url.removeprefix("http://").split(":")
        idle = socket.create_connection((host, int(port)))
        alive = http.client.HTTPConnection(host, int(port))
        alive.request("GET", DEALS)
        assert alive.getresponse().read()
    assert threading.active_count() == before
    assert idle.recv(1) == b""
    idle.close()
    alive.close()
    with pytest.raises(ConnectionError):
        socket.create_connection((host, int(port)))
    gc.collect()  # a socket left open would warn here


def test_an_error_inside_the_block_still_closes(small: Business) -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), serve(small):
        raise ZeroDivisionError
    assert threading.active_count() == before


def test_nothing_is_printed(small: Business, capfd: pytest.CaptureFixture[str]) -> None:
    with serve(small) as sandbox:
        httpx.get(f"{sandbox.url}{DEALS}")
        host, port = sandbox.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as rude:
            rude.sendall(b"nonsense\r\n\r\n")
        with socket.create_connection((host, int(port))) as hasty:
            hasty.sendall(f"POST {DEALS}/search HTTP/1.1\r\nContent-Length: 99\r\n\r\n".encode())
    assert capfd.readouterr() == ("", "")
