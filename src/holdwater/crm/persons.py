"""What stands for a person in the store: a keyed hash of the e-mail address, which joins a lead to a payer.

The key (HOLDWATER_PERSON_KEY, else one that is made and kept in the OS keyring) is never in the store: without it,
a hash leads back to no address, not even to one that somebody guesses.
"""

from __future__ import annotations

import hmac
import os
import secrets
import unicodedata
from functools import cache

from holdwater.crm.credentials import Token, keep, kept
from holdwater.errors import CredentialsError

VARIABLE = "HOLDWATER_PERSON_KEY"
SET_KEY = f"set {VARIABLE} to a random text of 32 characters or more, the same for every sync"
NO_KEY = (
    "No person was recognised by e-mail address: there is no keyring to make a key in that hides the addresses, so"
    f" {SET_KEY}."
)
_ENTRY = "person-key"
_SHORTEST = 32  # characters


def person_key(address: str | None) -> str | None:
    """The keyed hash of an e-mail address, the same for every spelling of it.

    None for what is no address, and where there is no key. CredentialsError for a key that is too short.
    """
    normal = _normal(address or "")
    return keyed_hash(normal) if normal else None


def keyed_hash(text: str) -> str | None:
    """HMAC-SHA256 of a text under the key, in hexadecimal digits; None where there is no key.

    CredentialsError for a key that is too short.
    """
    key = _key()
    return hmac.digest(key.reveal().encode(), text.encode(), "sha256").hex() if key else None


def recognised() -> bool:
    """Whether there is a key: without one, a connector need not even ask for addresses."""
    return bool(_key())


def forget() -> None:
    """Look into the keyring again the next time."""
    _from_keyring.cache_clear()


def _normal(address: str) -> str | None:
    """Upper and lower case mean the same, and so do the ways to write an accent; `Name <address>` is the address."""
    text = unicodedata.normalize("NFKC", address).strip().casefold().removeprefix("mailto:")
    if text.endswith(">"):  # as in the header of a mail
        text = text[text.rfind("<") + 1 : -1].strip()
    name, _, host = text.rpartition("@")
    return text if name and host and not any(map(str.isspace, text)) else None


def _key() -> Token | None:
    key = Token(os.environ.get(VARIABLE), f"the environment variable {VARIABLE}") or _from_keyring()
    if key and len(key.reveal()) < _SHORTEST:
        raise CredentialsError(
            f"The key in {key.hint} is too short to hide addresses: give it at least {_SHORTEST} random characters."
        )
    return key


@cache  # a keyring is slow, and a sync asks for every person
def _from_keyring() -> Token | None:
    return kept(_ENTRY) or (kept(_ENTRY) if keep(_ENTRY, Token(secrets.token_hex(32))) else None)
