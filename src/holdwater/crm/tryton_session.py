"""How Tryton lets somebody in: a login and a password give a session, which stands in for them until it ends."""

from __future__ import annotations

from base64 import b64encode

import httpx

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.manners import Manners
from holdwater.errors import BadAnswerError, CredentialsError, HoldwaterError

SESSION = Manners(scheme="Session ")


class Door:
    """Where sessions are handed out; `client` counts what that cost. `credentials` is `login:password`.

    No variable here holds what is in them, since a traceback might show it.
    """

    def __init__(
        self, base_url: str, database: str, credentials: Token, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        if not all(_both(credentials)):
            raise CredentialsError(f"Tryton needs a login and a password: put login:password into {credentials.hint}.")
        self.database = database
        self.path = f"/{database}/rpc/"
        self._credentials = credentials
        basic = Token(b64encode(credentials.reveal().encode()).decode(), credentials.hint)
        self.client = Client(base_url, basic, manners=Manners(scheme="Basic "), transport=transport)

    def session(self) -> Token:
        """A new session, as the server wants to see it; CredentialsError if it lets nobody in."""
        try:
            answer = self.client.post_json(
                self.path,
                {"id": 0, "method": "common.db.login", "params": [_both(self._credentials)[0], self._proof()]},
            )
        except HoldwaterError as error:
            problem = error.with_traceback(None)  # whose frames hold the password
        else:
            match answer:
                case {"result": [int(user_id), str(key), *_]}:
                    session = f"{_both(self._credentials)[0]}:{user_id}:{key}".encode()
                    return Token(b64encode(session).decode(), self._credentials.hint)
                case {"error": _}:
                    problem = CredentialsError(
                        f"{self.client.account} wants more than a password from this user, which a sync cannot give;"
                        f" put a user with a password alone into {self._credentials.hint}."
                    )
                case _:
                    problem = BadAnswerError(f"{self.client.account} answered the login with no session.")
            del answer
        raise problem

    def _proof(self) -> dict[str, str]:
        return {"password": _both(self._credentials)[1]}


def _both(credentials: Token) -> tuple[str, str]:
    login, _, password = credentials.reveal().partition(":")
    return login, password
