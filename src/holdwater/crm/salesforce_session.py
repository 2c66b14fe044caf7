"""How Salesforce lets a program in: the key and secret of an app give an access token, which ends after some hours.

This is the client credentials flow: no person logs in, and the token has the rights of the user that the app runs as.
"""

from __future__ import annotations

from base64 import b64encode

import httpx

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.manners import Headers, Manners
from holdwater.errors import BadAnswerError, CredentialsError, SetupError

_PATH = "/services/oauth2/token"
# What the refusals of requests and of tokens say when not the request is at fault, but who asks.
_NO_RIGHT = (b'"INVALID_TYPE"', b'"INVALID_FIELD"', b'"invalid_client', b'"invalid_grant"', b'"unauthorized_client"')


def _used_up(status: int, _headers: Headers, body: bytes) -> bool:
    """The quota of the last 24 hours: Salesforce says so with 403, and never how long to wait."""
    return status == 403 and b'"REQUEST_LIMIT_EXCEEDED"' in body


def _shut_out(status: int, _headers: Headers, body: bytes) -> bool:
    """Whoever may not see an object or a field is told that there is none."""
    return (status == 404 and b'"NOT_FOUND"' in body) or (status == 400 and any(one in body for one in _NO_RIGHT))


def manners(*, at_once: int = 2000, scheme: str = "Bearer ") -> Manners:
    """`at_once`: the records to send in one answer, from 200 to 2,000; Salesforce may send fewer."""
    return Manners(
        scheme=scheme,
        headers={"Sforce-Query-Options": f"batchSize={at_once}"},
        used_up=_used_up,
        shut_out=_shut_out,
        again=frozenset({406, 420}),  # seen from Salesforce's gateways; gone a moment later
    )


class Door:
    """Where access tokens are handed out; `client` counts what that cost. `credentials` is `key:secret`.

    No variable here holds what is in them, since a traceback might show it.
    """

    def __init__(self, base_url: str, credentials: Token, *, transport: httpx.BaseTransport | None = None) -> None:
        if not all(credentials.reveal().partition(":")):
            raise CredentialsError(
                f"Salesforce needs the consumer key and secret of an app: put key:secret into {credentials.hint}."
            )
        self._hint = credentials.hint
        basic = Token(b64encode(credentials.reveal().encode()).decode(), credentials.hint)
        self.client = Client(base_url, basic, manners=manners(scheme="Basic "), transport=transport)

    def session(self) -> Token:
        """A new access token; CredentialsError if Salesforce gives none to this app."""
        answer = self.client.post_form(_PATH, {"grant_type": "client_credentials"})
        try:
            token = Token(_popped(answer, "access_token"), self._hint)
        except CredentialsError:  # ours may well be good
            token = Token(None)
        if not token:
            raise BadAnswerError(f"{self.client.account} answered POST {_PATH} without a token; check the address.")
        home = answer.get("instance_url")
        if not isinstance(home, str) or _account(home) != self.client.account:
            raise SetupError(
                f"{self.client.account} is not where this Salesforce organisation is at home, and the token goes"
                " nowhere else: give the address of My Domain with --url, https://NAME.my.salesforce.com."
            )
        return token


def _popped(answer: dict[str, object], name: str) -> str | None:
    return str(answer.pop(name)) if isinstance(answer.get(name), str) else None


def _account(address: str) -> str:
    try:
        return httpx.URL(address).netloc.decode("ascii")
    except httpx.InvalidURL:
        return ""
