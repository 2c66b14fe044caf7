"""One HTTP client for every connector: where requests may go, when they are repeated, what counts as an answer.

The token goes to the configured origin only: redirects are not followed, other origins are refused, and
unencrypted HTTP is for this machine alone. No error carries the token, a query string or a response body.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from threading import Lock
from types import TracebackType
from typing import Any, Self

import httpx
import stamina

from holdwater.crm.credentials import Token
from holdwater.crm.manners import Headers, Manners
from holdwater.crm.origin import Origin
from holdwater.crm.pacing import Pacing
from holdwater.errors import (
    BadAnswerError,
    CredentialsError,
    HoldwaterError,
    QuotaError,
    RefusedError,
    ScopeError,
    UnreachableError,
)

Params = Mapping[str, str | int]
JsonObject = dict[str, object]

_REFUSED = {401, 403, 530}  # 530: HubSpot's answer to a malformed token
_TRY_AGAIN = {429, 477, 500, 502, 503, 504}  # 477: HubSpot is moving the account
_TRANSIENT = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent; `what` names the request and the status, for an error."""

    what: str
    headers: Headers
    body: bytearray


class Client:
    """Reads from one origin; counts what it cost in `requests`, `retries` and `throttled_seconds`.

    `server_time` is the moment of the last answer by the server's own clock (None before the first).
    `attempts` and `total_seconds` bound the tries of one call, `longest_wait` what one Retry-After may ask for.
    `renew` fetches another token once the server no longer takes the present one; without it, that is an error.
    Threads may share a client.
    """

    def __init__(
        self,
        base_url: str,
        token: Token,
        *,
        manners: Manners | None = None,
        renew: Callable[[], Token] | None = None,
        pacing: Pacing | None = None,
        attempts: int = 6,
        total_seconds: float = 300.0,
        longest_wait: float = 60.0,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        max_bytes: int = 64 * 2**20,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._origin = Origin(base_url)
        if not token:
            raise CredentialsError(f"There is no token for {self.account}; put one into {token.hint}.")
        self._manners = manners or Manners()
        self._carrier = _Carrier(token, self._manners)
        self._renew = renew
        self._pacing = pacing
        self._attempts = attempts
        self._total_seconds = total_seconds
        self._longest_wait = longest_wait
        self._max_bytes = max_bytes
        self._clock = clock
        self._http = httpx.Client(
            auth=self._carrier,
            headers={"User-Agent": f"holdwater/{_version()}", "Accept": "application/json", **self._manners.headers},
            timeout=httpx.Timeout(read_timeout, connect=connect_timeout),
            follow_redirects=False,
            # A proxy from the environment sees only the tunnel of https; plain http would hand it the token.
            trust_env=self._origin.encrypted,
            transport=transport,
        )
        self._counting, self._renewing = Lock(), Lock()
        self._not_before = 0.0  # by our clock; what the last answer's headers asked for
        self.requests = 0
        self.retries = 0
        self.throttled_seconds = 0.0
        self.server_time: datetime | None = None

    def __repr__(self) -> str:
        return f"Client({self._origin})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    @property
    def account(self) -> str:
        """The host, with the port where it is not the usual one."""
        return self._origin.account

    @property
    def present(self) -> datetime:
        """`server_time`, by which a sync's window ends; BadAnswerError where the server does not tell it."""
        if self.server_time is None:
            raise BadAnswerError(f"{self.account} sends no Date header; check the address, or a proxy between.")
        return self.server_time

    def get_json(self, path: str, params: Params | None = None, *, pacing: Pacing | None = None) -> JsonObject:
        """The JSON object at `path`; numbers with a fraction are Decimals. `pacing` applies besides the client's."""
        return self._object(self._call(lambda: self._request("GET", path, params=params), pacing))

    def post_json(self, path: str, body: JsonObject, *, pacing: Pacing | None = None) -> JsonObject:
        """The same for a question too long for a query string; only for reads, since a failed try is repeated."""
        return self._object(self._call(lambda: self._request("POST", path, json=body), pacing))

    def post_form(self, path: str, fields: Mapping[str, str]) -> JsonObject:
        """The JSON object that a form is answered with, such as a token for the credentials in the header."""
        return self._object(self._call(lambda: self._request("POST", path, data=fields), None))

    def get(self, path: str, params: Params | None = None, *, accept: str = "*/*") -> Answer:
        """What is at `path`, as it comes: for answers that are no JSON."""
        return self._call(lambda: self._request("GET", path, params=params, headers={"Accept": accept}), None)

    def _request(self, method: str, path: str, **content: Any) -> httpx.Request:
        return self._http.build_request(method, self._origin.url(path), **content)

    def _call(self, request: Callable[[], httpx.Request], pacing: Pacing | None) -> Answer:
        failed_at = 0.0
        try:
            for attempt in stamina.retry_context(
                on=_another_try,
                attempts=self._attempts,
                timeout=self._total_seconds,
                wait_initial=0.5,
                wait_max=30.0,
                wait_jitter=1.0,
            ):
                if attempt.num > 1:
                    with self._counting:
                        self.retries += 1
                        self.throttled_seconds += self._clock() - failed_at
                with attempt:
                    try:
                        return self._try(request(), pacing)
                    finally:
                        failed_at = self._clock()
        except _TryAgain as last:
            problem = last.problem
        # Raised outside of the handler: the HTTP library's own exceptions are no part of what a person sees.
        raise problem

    def _try(self, request: httpx.Request, pacing: Pacing | None) -> Answer:
        waited = sum(pace.wait() for pace in (self._pacing, pacing) if pace) + self._wait_as_asked()
        with self._counting:
            self.throttled_seconds += waited
            self.requests += 1
        what = f"{request.method} {request.url.path}"
        try:
            token = self._carrier.token
            response = self._http.send(request, stream=True)
            try:
                self._check(response, what, token)
                answer = Answer(f"{what} ({response.status_code})", response.headers, self._body(response, what))
            finally:
                response.close()
        except httpx.RequestError as error:
            problem = self._no_answer(error, what)
        else:
            return answer
        raise problem

    def _wait_as_asked(self) -> float:
        pause = max(0.0, min(self._not_before - self._clock(), self._longest_wait))
        if pause:
            time.sleep(pause)
        return pause

    def _no_answer(self, error: httpx.RequestError, what: str) -> Exception:
        kind = type(error).__name__
        if isinstance(error, _TRANSIENT):
            return _TryAgain(
                UnreachableError(
                    f"{self.account} did not answer {what} ({kind}); check the network and the address, then run again."
                )
            )
        return BadAnswerError(f"{self.account} answered {what} in a way that is not HTTP ({kind}); check the address.")

    def _check(self, response: httpx.Response, what: str, token: Token) -> None:
        """Whether this is an answer at all; reads the headers, and of a refusal the body."""
        status = response.status_code
        now = _moment(response.headers.get("Date"))
        self.server_time = now or self.server_time
        self._not_before = self._clock() + self._manners.pause(response.headers)
        if response.is_success:
            self._carrier.accepted = token
            return
        body = bytes(self._body(response, what))
        if self._manners.used_up(status, response.headers, body):
            raise QuotaError(
                f"The request quota of {self.account} is used up ({what} was answered {status});"
                " what was read is kept, run again when the vendor has renewed it."
            )
        if status in _REFUSED or self._manners.shut_out(status, response.headers, body):
            self._refused(status, what, token)
        if status in _TRY_AGAIN or status in self._manners.again:
            asked = _retry_after(response.headers.get("Retry-After"), now)
            reason = "its request limit is used up" if status == 429 else "it has trouble of its own"
            raise _TryAgain(
                BadAnswerError(f"{self.account} kept answering {what} with {status}: {reason}; run again later."),
                None if asked is None else min(asked, self._longest_wait),
            )
        if response.is_redirect:
            raise BadAnswerError(
                f"{self.account} redirected {what} ({status}), which is not followed; configure the final address."
            )
        raise RefusedError(
            f"{self.account} refused {what} with {status}; check the address, or update Holdwater if it is right."
        )

    def _refused(self, status: int, what: str, token: Token) -> None:
        problem = (ScopeError if status in (403, 404) else CredentialsError)(
            f"{self.account} refused the token ({what} was answered {status});"
            f" check {token.hint} and the rights the token was given."
        )
        if status == 401 and self._renew is not None:
            with self._renewing:
                if self._carrier.token is not token:  # another thread was faster
                    raise _TryAgain(problem, 0.0)
                if self._carrier.accepted is token:  # it was good until now
                    self._carrier.token = self._renew()
                    raise _TryAgain(problem, 0.0)
        raise problem

    def _body(self, response: httpx.Response, what: str) -> bytearray:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._max_bytes:
                raise BadAnswerError(
                    f"{self.account} answered {what} ({response.status_code}) with more than {self._max_bytes:,} bytes,"
                    " the limit for one answer; check the address."
                )
        return body

    def _object(self, answer: Answer) -> JsonObject:
        try:
            found = json.loads(answer.body, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError):  # also text that is not UTF-8, and numbers of absurd length
            found = None
        if not isinstance(found, dict):
            raise BadAnswerError(
                f"{self.account} answered {answer.what} with something other than a JSON object; check the address."
            )
        return found


class _Carrier(httpx.Auth):
    """Puts the token on a request at the moment it leaves."""

    def __init__(self, token: Token, manners: Manners) -> None:
        self.token = token
        self.accepted: Token | None = None  # the last that the server took
        self._manners = manners

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers[self._manners.header] = self._manners.scheme + self.token.reveal()
        yield request


class _TryAgain(Exception):  # noqa: N818 -- not an error: a signal that stays inside this file
    """A failure that another try may mend; `problem` is what is raised when the tries are used up."""

    def __init__(self, problem: HoldwaterError, wait: float | None = None) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.wait = wait


def _another_try(error: Exception) -> bool | float:
    """Stamina's hook: False for no, True for its own backoff, a number for the seconds the server asked for."""
    if not isinstance(error, _TryAgain):
        return False
    return True if error.wait is None else error.wait


def _moment(header: str | None) -> datetime | None:
    """An HTTP date as an aware UTC datetime; None for anything else."""
    try:
        moment = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _retry_after(header: str | None, now: datetime | None) -> float | None:
    """The seconds a Retry-After asks for; a date is measured by the server's clock `now`, which ours may not match."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    until = _moment(header)
    return None if until is None else max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _version() -> str:
    try:
        return version("holdwater")
    except PackageNotFoundError:  # run from a checkout
        return "dev"
