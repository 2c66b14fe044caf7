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


def variable(source: str) -> str:
    """The environment variable that may hold the token of `source`."""
    return f"HOLDWATER_{source.upper().replace('-', '_')}_TOKEN"


def token(source: str) -> Token:
    """The token for `source` ("hubspot"): from HOLDWATER_<SOURCE>_TOKEN, else the OS keyring, else CredentialsError."""
    found = given(source) or kept(source)
    if not found:
        raise CredentialsError(
            f"There is no token for {source}: set the environment variable {variable(source)},"
            f" or run holdwater connect {source}."
        )
    return found


def given(source: str) -> Token:
    """The token in the environment; False when there is none."""
    name = variable(source)
    return Token(os.environ.get(name), f"the environment variable {name}")


def kept(entry: str) -> Token | None:
    """What the OS keyring has under `entry`; None where it has nothing, is locked, or there is none."""
    try:
        import keyring  # slow to import, and not needed where the environment has the token
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        return Token(keyring.get_password(_SERVICE, entry), f"the keyring (`keyring set {_SERVICE} {entry}`)")
    except KeyringError:
        return None


def keep(entry: str, secret: Token) -> bool:
    """Put a secret into the OS keyring; whether it is there now."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return False
    try:
        keyring.get_password(_SERVICE, entry)  # what cannot be read now must not be written over either
        keyring.set_password(_SERVICE, entry, secret.reveal())
    except KeyringError:
        return False
    there = kept(entry)  # a keyring that is switched off takes everything and keeps nothing
    return there is not None and there.reveal() == secret.reveal()
