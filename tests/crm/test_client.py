"""The HTTP client: where the token may go, what is tried again, what counts as an answer."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.pacing import Pacing
from holdwater.errors import BadAnswerError, CredentialsError, HoldwaterError, SetupError, UnreachableError

SECRET = "pat-eu1-0b5e-do-not-show"
HINT = "the environment variable HOLDWATER_HUBSPOT_TOKEN"
ATTEMPTS = 6

Reply = httpx.Response | Exception
Printed = Callable[[BaseException], str]


class Server:
    """The far end of the transport: gives the replies in turn, the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 5000.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stands in for the machine's clock, which the retry library sleeps and measures with."""
    clock = Clock()
    monkeypatch.setattr(time, "sleep", clock.sleep)
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.fixture
def client_of(clock: Clock) -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def make(server: Server, base_url: str = "https://crm.example", **options: object) -> Client:
        options.setdefault("clock", clock)
        clients.append(
            Client(base_url, Token(SECRET, HINT), transport=httpx.MockTransport(server), **options)  # type: ignore[arg-type]  # options of any kind
        )
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def ok(body: object = None, **headers: str) -> httpx.Response:
    return httpx.Response(200, json={} if body is None else body, headers=headers)


def test_a_request_carries_the_token_and_an_answer_keeps_its_digits(client_of: Callable[..., Client]) -> None:
    server = Server(httpx.Response(200, content=b'{"amount": 0.10, "count": 3, "big": 123456789.123456789123}'))
    client = client_of(server)
    answer = client.get_json("/crm/deals", {"limit": 100, "properties": "amount,stage"})
    assert answer == {"amount": Decimal("0.10"), "count": 3, "big": Decimal("123456789.123456789123")}
    assert str(answer["amount"]) == "0.10"
    sent = server.requests[0]
    assert (sent.method, sent.url.path, dict(sent.url.params)) == (
        "GET",
        "/crm/deals",
        {"limit": "100", "properties": "amount,stage"},
    )
    assert sent.headers["Authorization"] == f"Bearer {SECRET}"
    assert sent.headers["User-Agent"].startswith("holdwater/")
    assert (client.requests, client.retries, client.throttled_seconds) == (1, 0, 0.0)


def test_a_question_is_posted_as_json(client_of: Callable[..., Client]) -> None:
    server = Server(ok({"results": []}))
    assert client_of(server).post_json("/search", {"after": "0", "limit": 5}) == {"results": []}
    sent = server.requests[0]
    assert (sent.method, json.loads(sent.content)) == ("POST", {"after": "0", "limit": 5})
    assert sent.headers["Content-Type"] == "application/json"


def test_a_partial_success_is_an_answer(client_of: Callable[..., Client]) -> None:
    assert client_of(Server(httpx.Response(207, json={"errors": []}))).post_json("/batch", {}) == {"errors": []}


@pytest.mark.parametrize("status", [401, 403, 530])
def test_a_refused_token_names_where_it_is_kept_and_is_not_tried_again(
    status: int, client_of: Callable[..., Client]
) -> None:
    server = Server(httpx.Response(status, json={"message": "no"}))
    with pytest.raises(CredentialsError, match=f"{status}.*HOLDWATER_HUBSPOT_TOKEN"):
        client_of(server).get_json("/crm/deals")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 477, 500, 502, 503, 504])
def test_a_passing_trouble_is_tried_again(status: int, client_of: Callable[..., Client], clock: Clock) -> None:
    server = Server(httpx.Response(status), ok({"a": 1}))
    client = client_of(server)
    assert client.get_json("/x") == {"a": 1}
    assert (client.requests, client.retries) == (2, 1)
    assert len(clock.sleeps) == 1
    assert 0.5 <= clock.sleeps[0] <= 1.5  # no Retry-After: our own backoff
    assert client.throttled_seconds == pytest.approx(clock.sleeps[0])
    assert [request.headers["Authorization"] for request in server.requests] == [f"Bearer {SECRET}"] * 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "3600"}, 60.0),
        # Dates are measured by the server's clock: ours may be years off.
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:20 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 20.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:27:00 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_the_server_says_how_long_to_wait(
    headers: dict[str, str], seconds: float, client_of: Callable[..., Client], clock: Clock
) -> None:
    client = client_of(Server(httpx.Response(429, headers=headers), ok()))
    client.get_json("/x")
    assert sum(clock.sleeps) == pytest.approx(seconds)
    assert client.throttled_seconds == pytest.approx(seconds)


def test_a_retry_after_that_means_nothing_is_passed_over(client_of: Callable[..., Client], clock: Clock) -> None:
    client_of(Server(httpx.Response(503, headers={"Retry-After": "soon"}), ok())).get_json("/x")
    assert 0.5 <= clock.sleeps[0] <= 1.5


def test_tries_end(client_of: Callable[..., Client]) -> None:
    server = Server(httpx.Response(500, text="<b>a stack trace</b>"))
    client = client_of(server)
    with pytest.raises(BadAnswerError, match=r"GET /crm/deals with 500.*run again later"):
        client.get_json("/crm/deals")
    assert len(server.requests) == client.requests == ATTEMPTS
    assert client.retries == ATTEMPTS - 1


def test_a_used_up_limit_is_called_so(client_of: Callable[..., Client]) -> None:
    with pytest.raises(BadAnswerError, match="429: its request limit is used up"):
        client_of(Server(httpx.Response(429))).get_json("/x")


def test_tries_end_with_the_time_as_well(client_of: Callable[..., Client], clock: Clock) -> None:
    server = Server(httpx.Response(429, headers={"Retry-After": "60"}))
    with pytest.raises(BadAnswerError):
        client_of(server, total_seconds=100.0).get_json("/x")
    assert len(server.requests) == 3  # at 0, 60 and 120 seconds
    assert clock.sleeps == [60.0, 60.0]


@pytest.mark.parametrize(
    "trouble",
    [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError],
)
def test_a_broken_connection_is_tried_again(trouble: type[Exception], client_of: Callable[..., Client]) -> None:
    assert client_of(Server(trouble("broken"), trouble("broken"), ok({"a": 1}))).get_json("/x") == {"a": 1}
    with pytest.raises(UnreachableError, match=rf"crm\.example did not answer GET /x \({trouble.__name__}\)"):
        client_of(Server(trouble("broken"))).get_json("/x")


@pytest.mark.parametrize(
    "content",
    [
        b"<html><body>Please log in</body></html>",
        b'{"results": [',
        b"",
        b"[1, 2]",
        b"null",
        b'{"amount": NaN}',
        b'{"name": "\xff"}',
        b"[" * 100_000,
        b'{"n": ' + b"9" * 100_000 + b"}",
    ],
    ids=lambda content: repr(content[:20]),
)
def test_an_answer_that_is_no_json_object_is_named(content: bytes, client_of: Callable[..., Client]) -> None:
    server = Server(httpx.Response(200, content=content))
    with pytest.raises(BadAnswerError, match=r"POST /crm/search \(200\).*JSON object") as caught:
        client_of(server).post_json("/crm/search", {})
    assert len(server.requests) == 1
    assert len(str(caught.value)) < 200


def test_an_answer_that_cannot_be_unpacked_is_named(client_of: Callable[..., Client]) -> None:
    broken = httpx.Response(200, stream=Stream([b"no gzip"]), headers={"Content-Encoding": "gzip"})
    with pytest.raises(BadAnswerError, match=r"GET /x .*DecodingError"):
        client_of(Server(broken)).get_json("/x")


@pytest.mark.parametrize("status", [400, 404, 405, 410, 422])
def test_a_refused_question_is_not_repeated(status: int, client_of: Callable[..., Client]) -> None:
    server = Server(httpx.Response(status, json={"message": "jane@example.com"}))
    with pytest.raises(BadAnswerError, match=f"GET /x with {status}") as caught:
        client_of(server).get_json("/x")
    assert len(server.requests) == 1
    assert "jane" not in str(caught.value)


class Stream(httpx.SyncByteStream):
    """Counts how much of it was taken."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks
        self.taken = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.taken += 1
            yield chunk

    def close(self) -> None:
        self.closed = True


def test_a_huge_answer_is_dropped_before_it_is_all_here(client_of: Callable[..., Client]) -> None:
    stream = Stream([b"x" * 1000] * 1000)
    with pytest.raises(BadAnswerError, match=r"GET /x \(200\) with more than 5,000 bytes"):
        client_of(Server(httpx.Response(200, stream=stream)), max_bytes=5000).get_json("/x")
    assert stream.taken == 6
    assert stream.closed


def test_an_answer_just_within_the_limit_is_read(client_of: Callable[..., Client]) -> None:
    body = b'{"a": "' + b"x" * 4000 + b'"}'
    assert client_of(Server(httpx.Response(200, content=body)), max_bytes=len(body)).get_json("/x") == {"a": "x" * 4000}


@pytest.mark.parametrize("target", ["https://elsewhere.example/x", "/y", "http://crm.example/x"])
def test_redirects_are_not_followed(target: str, client_of: Callable[..., Client]) -> None:
    server = Server(httpx.Response(302, headers={"Location": target}))
    with pytest.raises(BadAnswerError, match=r"redirected GET /x \(302\)") as caught:
        client_of(server).get_json("/x")
    assert len(server.requests) == 1
    assert "elsewhere" not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "https://elsewhere.example/x",
        "//elsewhere.example/x",
        "http://crm.example/x",
        "https://crm.example:8443/x",
        "https://user@crm.example/x",
    ],
)
def test_a_request_to_another_origin_is_refused(path: str, client_of: Callable[..., Client]) -> None:
    server = Server(ok())
    with pytest.raises(BadAnswerError, match=r"https://crm\.example only"):
        client_of(server).get_json(path)
    assert not server.requests


@pytest.mark.parametrize(
    "base_url",
    [
        "http://crm.example",
        "http://192.168.1.10:8080",
        "http://localhost.elsewhere.example",
        "http://127.0.0.1.elsewhere.example",
        "http://127.0.0.1@elsewhere.example",
        "http://0.0.0.0:8000",
        "ftp://crm.example",
        "crm.example",
        "https://",
        "https://user:word@crm.example",
        "https://crm.example/api",
        "https://crm.example?x=1",
        "https://crm.example:99999",
        "",
    ],
)
def test_a_token_is_not_for_every_address(base_url: str, client_of: Callable[..., Client]) -> None:
    with pytest.raises(SetupError, match="https://") as caught:
        client_of(Server(ok()), base_url)
    assert "word" not in str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "account"),
    [
        ("https://crm.example", "crm.example"),
        ("https://CRM.example:443/", "crm.example"),
        ("https://crm.example:8443", "crm.example:8443"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://127.8.8.8:1", "127.8.8.8:1"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("http://localhost:8080", "localhost:8080"),
    ],
)
def test_an_account_is_the_host_and_an_unusual_port(
    base_url: str, account: str, client_of: Callable[..., Client]
) -> None:
    client = client_of(Server(ok({"a": 1})), base_url)
    assert client.account == account
    assert client.get_json("/x") == {"a": 1}


def test_an_empty_token_is_refused() -> None:
    with pytest.raises(CredentialsError, match="put one into"):
        Client("https://crm.example", Token("", HINT))


def test_the_servers_clock(client_of: Callable[..., Client]) -> None:
    client = client_of(
        Server(
            ok(None, Date="Sat, 31 Oct 2026 12:00:05 GMT"),
            ok(None, Date="yesterday"),
            ok(),
            httpx.Response(404, headers={"Date": "Sat, 31 Oct 2026 13:00:00 GMT"}),
        )
    )
    assert client.server_time is None
    for _ in range(3):
        client.get_json("/x")
        assert client.server_time == datetime(2026, 10, 31, 12, 0, 5, tzinfo=UTC)
    with pytest.raises(BadAnswerError):
        client.get_json("/x")
    assert client.server_time == datetime(2026, 10, 31, 13, tzinfo=UTC)


def test_both_paces_are_kept_and_counted(client_of: Callable[..., Client], clock: Clock) -> None:
    overall = Pacing(3, 10.0, clock=clock, sleep=clock.sleep)
    searches = Pacing(1, 1.0, clock=clock, sleep=clock.sleep)
    client = client_of(Server(ok()), pacing=overall)
    for _ in range(3):
        client.post_json("/search", {}, pacing=searches)
    assert clock.sleeps == [1.0, 1.0]
    client.get_json("/list")
    assert clock.sleeps == [1.0, 1.0, 8.0]
    assert client.throttled_seconds == 10.0


def failing(server: Server, client_of: Callable[..., Client]) -> HoldwaterError:
    client = client_of(server, max_bytes=1000)
    with pytest.raises(HoldwaterError) as caught:
        client.get_json("/crm/deals", {"properties": "hidden-in-the-query"})
    return caught.value


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(401),
        httpx.Response(429),
        httpx.Response(500, headers={"Retry-After": "1"}),
        httpx.Response(302, headers={"Location": f"https://elsewhere.example/?token={SECRET}"}),
        httpx.Response(404, text=SECRET),
        httpx.Response(200, text=f"<html>{SECRET}</html>"),
        httpx.Response(200, content=b"x" * 2000),
        httpx.ConnectError("no route"),
        httpx.ReadTimeout("slow"),
        httpx.DecodingError("not gzip"),
        httpx.LocalProtocolError(f"Illegal header value b'Bearer {SECRET}'"),
    ],
    ids=lambda reply: str(reply)[:30],
)
def test_no_failure_shows_the_token(
    reply: Reply, client_of: Callable[..., Client], printed: Printed, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    error = failing(Server(reply), client_of)
    # Nothing of the HTTP library's own exceptions, which quote requests.
    assert error.__cause__ is None
    assert error.__context__ is None
    assert "hidden-in-the-query" not in str(error)
    assert str(error).endswith(".")
    assert "\n" not in str(error)
    if not (isinstance(reply, httpx.Response) and SECRET in reply.text):
        assert SECRET not in printed(error)
    assert SECRET not in str(error)
    logged = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert SECRET not in logged


def test_a_client_does_not_show_the_token(client_of: Callable[..., Client]) -> None:
    client = client_of(Server(ok()))
    assert repr(client) == "Client(https://crm.example)"
    assert SECRET not in str(vars(client))
