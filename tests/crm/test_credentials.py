"""Where a token is looked for, and that it never shows."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from holdwater.crm.credentials import Token, token
from holdwater.errors import CredentialsError

SECRET = "pat-na1-7f3a-do-not-show"


class Vault(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self, *, locked: bool = False, **kept: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring's base class has no types
        self.locked = locked
        self.kept = kept

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("locked")
        return self.kept.get(username) if service == "holdwater" else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    monkeypatch.delenv("HOLDWATER_HUBSPOT_TOKEN", raising=False)
    before = keyring.get_keyring()
    empty = Vault()
    keyring.set_keyring(empty)
    yield empty
    keyring.set_keyring(before)


def test_the_environment_comes_first(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.kept["hubspot"] = "from-the-keyring"
    monkeypatch.setenv("HOLDWATER_HUBSPOT_TOKEN", f" {SECRET}\n")
    found = token("hubspot")
    assert found.reveal() == SECRET
    assert "HOLDWATER_HUBSPOT_TOKEN" in found.hint


@pytest.mark.parametrize("blank", [None, "", "  \n"])
def test_the_keyring_is_asked_where_the_environment_has_nothing(
    blank: str | None, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.kept["hubspot"] = SECRET
    if blank is not None:
        monkeypatch.setenv("HOLDWATER_HUBSPOT_TOKEN", blank)
    found = token("hubspot")
    assert found.reveal() == SECRET
    assert "keyring set holdwater hubspot" in found.hint


@pytest.mark.parametrize("locked", [False, True])
def test_no_token_names_both_places(vault: Vault, locked: bool) -> None:
    vault.locked = locked
    with pytest.raises(CredentialsError, match=r"HOLDWATER_HUBSPOT_TOKEN.*keyring set holdwater hubspot"):
        token("hubspot")


def test_a_source_with_a_hyphen_has_a_variable_that_a_shell_can_set() -> None:
    with pytest.raises(CredentialsError, match="HOLDWATER_ZOHO_EU_TOKEN"):
        token("zoho-eu")


@pytest.mark.parametrize("damaged", [f"{SECRET}\nX-More: 1", f"{SECRET} twice", f"{SECRET}é", f"{SECRET}\x7f"])
def test_a_damaged_token_is_refused_without_being_shown(
    damaged: str, monkeypatch: pytest.MonkeyPatch, printed: Callable[[BaseException], str]
) -> None:
    monkeypatch.setenv("HOLDWATER_HUBSPOT_TOKEN", damaged)
    with pytest.raises(CredentialsError, match="HOLDWATER_HUBSPOT_TOKEN") as caught:
        token("hubspot")
    assert SECRET not in printed(caught.value)


def test_a_token_does_not_show_itself() -> None:
    hidden = Token(SECRET, "a test")
    assert SECRET not in f"{hidden} {hidden!r} {[hidden]} {vars(type(hidden))}"
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not copied or pickled"):
            take(hidden)
