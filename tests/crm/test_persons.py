"""An address becomes a keyed hash: the same for every spelling, and nothing without the key."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import pytest
from vault import Vault

from holdwater.crm import persons
from holdwater.crm.persons import person_key, recognised
from holdwater.errors import CredentialsError

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(persons.VARIABLE, KEY)
    return KEY


def test_it_is_the_keyed_hash_of_the_address(key: str) -> None:
    assert person_key("ada@example.com") == hmac.new(key.encode(), b"ada@example.com", hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    "spelling",
    [
        "Ada@Example.COM",
        "  ada@example.com\n",
        "Ada B. <ada@example.com>",
        "<ada@example.com>",
        "\uff41da@example.com",
    ],  # a full-width a
)
def test_every_spelling_is_the_same_person(spelling: str, key: str) -> None:
    assert person_key(spelling) == person_key("ada@example.com")


def test_accents_are_the_same_however_they_are_written(key: str) -> None:
    assert person_key("zo\u00eb@example.com") == person_key("zoe\u0308@example.com") != person_key("zoe@example.com")


@pytest.mark.parametrize("address", [None, "", "   ", "ada", "@example.com", "ada@", "ada b@example.com"])
def test_what_is_no_address_is_nobody(address: str | None, key: str) -> None:
    assert person_key(address) is None


def test_another_key_gives_another_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for one in (KEY, KEY[::-1]):
        monkeypatch.setenv(persons.VARIABLE, one)
        found.add(person_key("ada@example.com"))
    assert len(found) == 2


def test_a_key_is_made_once_and_kept_in_the_keyring(vault: Vault) -> None:
    first = person_key("ada@example.com")
    (made,) = vault.kept.values()
    assert len(made) == 64
    persons.forget()  # as another process has
    assert person_key("ada@example.com") == first is not None
    assert vault.kept == {"person-key": made}


def test_without_a_keyring_and_a_variable_nobody_is_recognised(vault: Vault) -> None:
    vault.forgetful = True
    assert not recognised()
    assert person_key("ada@example.com") is None


def test_a_locked_keyring_keeps_the_key_it_has(vault: Vault) -> None:
    vault.kept["person-key"] = KEY
    vault.locked = True
    assert not recognised()
    assert vault.kept == {"person-key": KEY}


def test_a_short_key_is_refused_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, printed: Callable[[BaseException], str]
) -> None:
    monkeypatch.setenv(persons.VARIABLE, "tooshort-0815")
    with pytest.raises(CredentialsError, match=rf"{persons.VARIABLE} is too short.* 32") as caught:
        person_key("ada@example.com")
    assert "tooshort-0815" not in printed(caught.value)
