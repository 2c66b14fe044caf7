"""Where a token is looked for, and that it never shows."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
from vault import Vault

from holdwater.crm.credentials import Token, keep, kept, token
from holdwater.errors import CredentialsError

SECRET = "pat-na1-7f3a-do-not-show"


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOLDWATER_HUBSPOT_TOKEN", raising=False)


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
    with pytest.raises(CredentialsError, match=r"HOLDWATER_HUBSPOT_TOKEN.*holdwater connect hubspot"):
        token("hubspot")


def test_what_is_kept_is_found_again(vault: Vault) -> None:
    assert kept("hubspot") is None or not kept("hubspot")
    assert keep("hubspot", Token(SECRET))
    assert vault.kept == {"hubspot": SECRET}
    assert token("hubspot").reveal() == SECRET


def test_a_keyring_that_keeps_nothing_is_none(vault: Vault) -> None:
    vault.forgetful = True
    assert not keep("hubspot", Token(SECRET))


def test_a_keyring_that_cannot_be_read_is_not_written_over(vault: Vault) -> None:
    vault.kept["hubspot"] = "an older one"
    vault.locked = True
    assert not keep("hubspot", Token(SECRET))
    assert vault.kept == {"hubspot": "an older one"}


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
