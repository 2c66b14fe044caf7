"""A keyring in memory, for tests."""

from __future__ import annotations

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class Vault(KeyringBackend):
    # Never chosen by the keyring library itself, which looks at every class of this kind that is loaded.
    priority = -1

    def __init__(self, *, locked: bool = False, forgetful: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring's base class has no types
        self.locked = locked
        self.forgetful = forgetful  # takes everything, and keeps nothing
        self.kept: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("locked")
        return self.kept.get(username) if service == "holdwater" else None

    def set_password(self, service: str, username: str, password: str) -> None:
        """A locked one asks its user to open it, who does."""
        if service == "holdwater" and not self.forgetful:
            self.kept[username] = password
