"""How the ids of an export are kept: codes as they are, names and addresses as keyed hashes."""

from __future__ import annotations

import hashlib
import re

from holdwater.crm.persons import keyed_hash

_CODE = re.compile(r"[\w.:#/|-]*\d[\w.:#/|-]*", re.ASCII)
_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{32}")
_SIZE = 32  # hexadecimal digits, which is 128 bits
_MARK_SIZE = 8
KEYED = f"hmac-{'[0-9a-f]' * _MARK_SIZE}:{'[0-9a-f]' * _SIZE}"  # the pattern of a keyed id


def identifier(text: str) -> str | None:
    """The id as it is if it looks like a code, else its keyed hash; None where that needs a key and there is none.

    Exports often know a lead by e-mail address and an owner by name; those stay out of the store,
    and the same one still gives the same id in every file.
    """
    if _CODE.fullmatch(text):
        return keyed(text)
    same = text.casefold() if "@" in text else text
    return keyed("sha256:" + hashlib.sha256(same.encode()).hexdigest()[:_SIZE])


def keyed(id_: str) -> str | None:
    """What takes the place of a plain fingerprint, which a list of addresses would lead back to its address.

    Every other id stays. None where there is no key. The hash is one of the fingerprint, not of the address, so that
    a store that holds fingerprints can be converted.
    """
    if not _FINGERPRINT.fullmatch(id_):
        return id_
    hashed, start = keyed_hash(id_), key_mark()
    return f"{start}{hashed[:_SIZE]}" if hashed and start else None


def is_keyed(id_: str) -> bool:
    return id_.startswith("hmac-")


def key_mark() -> str | None:
    """What every keyed id starts with: it tells keys apart, and nothing else about them. None where there is no key."""
    marked = keyed_hash("the key itself")
    return f"hmac-{marked[:_MARK_SIZE]}:" if marked else None
