"""Where a token comes from, and how it is kept out of everything that is shown or written."""

from __future__ import annotations

import os
from typing import NoReturn

from holdwater.errors import CredentialsError

_SERVICE = "holdwater"


class Token:
    """A secret that shows itself only where `reveal` is called: never in repr, str, a log or a traceback.

    False when there is nothing in it. Takes what a lookup returned as it is, so that no caller needs
    a local variable with the secret, which a traceback might print.
    """

    __slots__ = ("_secret", "hint")

    def __init__(self, secret: str | None, hint: str = "the token") -> None:
        """`hint` tells a person where the token is kept; it is safe to show."""
        self._secret = (secret or "").strip()
        self.hint = hint
        del secret
        # The HTTP library quotes a header it finds illegal in its error; such a token must not get that far.
        if not all("!" <= character <= "~" for character in self._secret):
            raise CredentialsError(
                f"The token in {hint} has blanks, line breaks or letters beyond ASCII in it; copy it there again."
            )

    def reveal(self) -> str:
        return self._secret

    def __bool__(self) -> bool:
        return bool(self._secret)

    def __repr__(self) -> str:
        return f"Token(hidden, from {self.hint})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A token is not copied or pickled: it belongs in the environment or the keyring.")


def token(source: str) -> Token:
    """The token for `source` ("hubspot"): from HOLDWATER_<SOURCE>_TOKEN, else the OS keyring, else CredentialsError."""
    variable = f"HOLDWATER_{source.upper().replace('-', '_')}_TOKEN"
    command = f"keyring set {_SERVICE} {source}"
    found = Token(os.environ.get(variable), f"the environment variable {variable}") or _kept(source, command)
    if not found:
        raise CredentialsError(
            f"There is no token for {source}: set the environment variable {variable}, or store it with `{command}`."
        )
    return found


def _kept(source: str, command: str) -> Token | None:
    try:
        import keyring  # slow to import, and not needed where the environment has the token
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        return Token(keyring.get_password(_SERVICE, source), f"the keyring (`{command}`)")
    except KeyringError:
        return None  # no keyring on this machine, or a locked one: the same as no token in it
