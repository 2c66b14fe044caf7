"""The addresses of sources that are not at their vendor's usual one, in a small file beside the store."""

from __future__ import annotations

import json
from pathlib import Path

from holdwater.errors import SetupError
from holdwater.store.place import default_path
from holdwater.whole_file import put


def address_of(source: str) -> str | None:
    """What `remember` was told; None if nothing."""
    return _all().get(source)


def remember(source: str, address: str) -> None:
    """An address holds no secret: the client refuses one with a password in it."""
    path = _path()
    text = json.dumps(_all() | {source: address}, indent=2) + "\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        put(path, text.encode())
    except OSError as problem:
        raise SetupError(f"{path} cannot be written ({problem.strerror}): give --url at each sync instead.") from None


def _path() -> Path:
    return default_path().with_name("addresses.json")


def _all() -> dict[str, str]:
    path = _path()
    try:
        found = json.loads(path.read_bytes()) if path.exists() else {}
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise SetupError(f"{path} cannot be read: remove it, and give each address again with holdwater connect.")
    return found
