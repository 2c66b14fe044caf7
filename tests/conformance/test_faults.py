"""Every connector under every fault: nothing lost, nothing doubled, and a sentence a person can act on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import httpx
import pytest
from trial import Trial

from holdwater.errors import BadAnswerError, CredentialsError, HoldwaterError, SourceError, StoreError
from holdwater.sandbox.server import Reply
from holdwater.store.database import Store

HTML = "<!DOCTYPE html><html><body>Please wait ...</body></html>"


def answer(status: int, body: str = "", **headers: str) -> Reply:
    return (
        status,
        {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}},
        body.encode(),
    )


def cut(reply: Reply) -> Reply:
    """The connection ends in the middle of the body."""
    status, headers, content = reply
    more = {"Connection": "close", "Content-Length": str(len(content))}
    return status, headers | more, content[: len(content) // 2]


STORMS: dict[str, Callable[[], Reply]] = {
    "429 with Retry-After": lambda: answer(429, "{}", Retry_After="3"),
    "429 without": lambda: answer(429, "{}"),
    "500": lambda: answer(500, "{}"),
    "502 in HTML": lambda: answer(502, HTML),
    "503": lambda: answer(503, "{}", Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"),
}


@pytest.mark.parametrize("storm", STORMS.values(), ids=STORMS.keys())
def test_a_storm_of_refusals_passes(trial: Trial, storm: Callable[[], Reply]) -> None:
    """Every other request is refused, now and then twice in a row."""
    chance = random.Random(3)
    trial.sandbox.on_request = lambda number, path: storm() if chance.random() < 0.4 else None
    run = trial.sync()
    assert run.retries > 3
    trial.sandbox.on_request = None
    trial.assert_equal()


def test_answers_that_are_cut_off_are_asked_for_again(trial: Trial) -> None:
    chance = random.Random(4)
    trial.sandbox.on_reply = lambda path, reply: cut(reply) if chance.random() < 0.3 else reply
    assert trial.sync().retries > 3
    trial.sandbox.on_reply = None
    trial.assert_equal()


class Stalled(httpx.SyncByteStream):
    """An answer of which half comes, and then nothing for longer than the client waits."""

    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        whole = b"".join(self._stream)
        yield whole[: len(whole) // 2]
        raise httpx.ReadTimeout("nothing came")

    def close(self) -> None:
        self._stream.close()


@pytest.mark.parametrize("begun", [False, True], ids=["nothing comes", "half comes"])
def test_answers_that_are_too_slow_are_asked_for_again(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    """The client's timeout, without the wait for it: the transport says at once what it would say then."""
    chance, at_once = random.Random(6), httpx.HTTPTransport.handle_request

    def slow(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        late = chance.random() < 0.3
        if late and not begun:
            raise httpx.ReadTimeout("nothing came", request=request)
        response = at_once(transport, request)
        if late:
            assert isinstance(response.stream, httpx.SyncByteStream)
            response.stream = Stalled(response.stream)
        return response

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", slow)
    assert trial.sync().retries > 1
    monkeypatch.undo()
    trial.assert_equal()


BROKEN: dict[str, Callable[[Reply], Reply]] = {
    "malformed JSON": lambda reply: (reply[0], reply[1], reply[2][:-1]),
    "HTML instead": lambda reply: (200, {"Content-Type": "text/html"}, HTML.encode()),
    "an empty body": lambda reply: (200, {}, b""),
    "a list": lambda reply: (200, {}, b"[]"),
    "null": lambda reply: (200, {}, b"null"),
    "an empty object": lambda reply: (200, {}, b"{}"),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_an_answer_that_is_none_ends_the_run_and_the_next_one_is_whole(
    trial: Trial, broken: Callable[[Reply], Reply]
) -> None:
    """The fifth answer is broken, whatever it is of."""
    count = 0

    def fifth(path: str, reply: Reply) -> Reply:
        nonlocal count
        count += 1
        return broken(reply) if count == 5 else reply

    trial.sandbox.on_reply = fifth
    with pytest.raises(SourceError):
        trial.sync()
    assert count >= 5
    trial.sandbox.on_reply = None
    trial.sync()
    trial.assert_equal()


def test_a_token_that_ends_midway_is_told_and_the_next_run_is_whole(trial: Trial) -> None:
    trial.sandbox.on_request = lambda number, path: answer(401, "{}") if number > 4 else None
    with pytest.raises(CredentialsError) as caught:
        trial.sync()
    assert trial.sandbox.token not in str(caught.value)
    trial.sandbox.on_request = None
    trial.sync()
    trial.assert_equal()


def test_a_wrong_token_is_told_by_the_first_call_and_never_shown(trial: Trial) -> None:
    """That call is the one with which `holdwater connect` tries a token."""
    trial.sandbox.token = "mistyped-4711"
    with trial.vendor.connect(trial.sandbox) as connector, pytest.raises(CredentialsError) as caught:
        assert not connector.connection  # raises
    assert "mistyped-4711" not in str(caught.value)
    assert "the sandbox" in str(caught.value)  # where the token came from
    assert trial.store.connections(ended=False) == []


@pytest.mark.parametrize("target", ["http://127.0.0.1:9/", "https://elsewhere.example/", "/again"])
def test_a_redirect_is_not_followed(trial: Trial, target: str) -> None:
    trial.sandbox.on_request = lambda number, path: answer(302, "", Location=target) if number == 3 else None
    with pytest.raises(BadAnswerError, match="not followed"):
        trial.sync()


def test_a_store_in_use_is_not_written_by_a_second_sync(trial: Trial) -> None:
    with Store.open(trial.store.path) as other, other.sync_lock(), pytest.raises(StoreError, match="Another sync"):
        trial.sync()


def test_whatever_goes_wrong_no_error_shows_the_token_or_a_person(trial: Trial) -> None:
    chance, told = random.Random(7), []
    for _ in range(40):
        at = chance.randint(1, 12)
        broken = chance.choice(list(BROKEN.values()))
        count = 0

        def one(path: str, reply: Reply) -> Reply:
            nonlocal count
            count += 1
            return broken(reply) if count == at else reply  # noqa: B023 -- called within this turn of the loop

        trial.sandbox.on_reply = one
        try:
            trial.sync()
        except HoldwaterError as error:
            told.append(str(error))
    assert len(told) > 10
    for secret in (trial.sandbox.token, "Simulated lead", "@example.com"):
        assert not [error for error in told if secret in error]
    trial.sandbox.on_reply = None
    trial.sync()
    trial.assert_equal()
