"""Names and addresses of an export: known again in every file, kept as hashes that nobody without the key can guess."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path

import pytest
from vault import Vault

from holdwater.crm import persons
from holdwater.crm.files import Exports
from holdwater.crm.persons import person_key
from holdwater.crm.records import Customer, Lead, Record
from holdwater.errors import CredentialsError, ExportError

KEY = "0123456789abcdef0123456789abcdef"
MAPPING = """
[leads]
file = "leads.csv"
columns = { id = "Email", created_at = "Created", owner_id = "Owner" }
[customers]
file = "customers.csv"
columns = { id = "Email", lead_id = "Email", started_at = "Start" }
"""
LEADS = "Email,Created,Owner\njane@example.org,2024-01-31,Ana Smith\n"
CUSTOMERS = "Email,Start\nJane@Example.org,2024-02-01\n"
BY_NUMBER = """
[leads]
file = "leads.csv"
columns = { id = "ID", created_at = "Created", email = "Email" }
[customers]
file = "customers.csv"
columns = { id = "ID", started_at = "Start", email = "Billing" }
"""


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(persons.VARIABLE, KEY)


def exports(folder: Path, mapping: str = MAPPING, leads: str = LEADS, customers: str = CUSTOMERS) -> Exports:
    (folder / "leads.csv").write_text(leads, encoding="utf-8")
    (folder / "customers.csv").write_text(customers, encoding="utf-8")
    (folder / "mapping.toml").write_text(mapping, encoding="utf-8")
    return Exports(folder, folder / "mapping.toml")


def records(source: Exports) -> list[Record]:
    return [record for page in source.pages({}) for record in page.records]


def by_hand(text: str, key: str = KEY) -> str:
    def hashed(text: str) -> str:
        return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()

    plain = "sha256:" + hashlib.sha256(text.encode()).hexdigest()[:32]
    return f"hmac-{hashed('the key itself')[:8]}:{hashed(plain)[:32]}"


@pytest.mark.usefixtures("key")
def test_addresses_and_names_become_keyed_hashes_that_still_match(tmp_path: Path) -> None:
    lead, customer = records(exports(tmp_path))
    assert isinstance(lead, Lead)
    assert isinstance(customer, Customer)
    assert lead.id == customer.id == customer.lead_id == by_hand("jane@example.org")
    assert lead.owner_id == by_hand("Ana Smith")


@pytest.mark.usefixtures("key")
def test_a_plain_hash_in_an_export_is_not_kept_either(tmp_path: Path) -> None:
    plain = "sha256:" + hashlib.sha256(b"jane@example.org").hexdigest()[:32]
    lead, customer = records(exports(tmp_path, leads=LEADS.replace("jane@example.org", plain)))
    assert lead.id == customer.id == by_hand("jane@example.org")


def test_the_key_of_the_keyring_serves_too(tmp_path: Path, vault: Vault) -> None:
    lead, _ = records(exports(tmp_path))
    (key,) = vault.kept.values()
    assert isinstance(lead, Lead)
    assert lead.id == by_hand("jane@example.org", key)


def test_without_a_key_names_are_refused(tmp_path: Path, vault: Vault, printed: Callable[[BaseException], str]) -> None:
    vault.forgetful = True
    with pytest.raises(ExportError) as caught:
        next(exports(tmp_path).pages({}))
    assert str(caught.value) == (
        'leads.csv, line 2, column "Email": the id is a name or an address, of which only a keyed hash is kept, and '
        "there is no keyring to make the key in; set HOLDWATER_PERSON_KEY to a random text of 32 characters or more, "
        "the same for every sync, or map the column with the numbers of your CRM"
    )
    assert "jane" not in printed(caught.value)


def test_codes_need_no_key(tmp_path: Path, vault: Vault) -> None:
    vault.forgetful = True
    leads, customers = (
        LEADS.replace("jane@example.org", "4711").replace("Ana Smith", "7"),
        "Email,Start\n4711,2024-02-01\n",
    )
    lead, customer = records(exports(tmp_path, leads=leads, customers=customers))
    assert isinstance(lead, Lead)
    assert isinstance(customer, Customer)
    assert (lead.id, lead.owner_id, customer.lead_id) == ("4711", "7", "4711")


def test_a_short_key_is_refused_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: Callable[[BaseException], str]
) -> None:
    monkeypatch.setenv(persons.VARIABLE, "tooshort-0815")
    with pytest.raises(CredentialsError, match=f"{persons.VARIABLE} is too short") as caught:
        next(exports(tmp_path).pages({}))
    assert "jane" not in printed(caught.value)
    assert "tooshort-0815" not in printed(caught.value)


# Persons, who join a lead to a payer.


@pytest.mark.usefixtures("key")
def test_a_column_of_addresses_gives_the_person(tmp_path: Path) -> None:
    source = exports(
        tmp_path,
        BY_NUMBER,
        leads="ID,Created,Email\n1,2024-01-31,jane@example.org\n2,2024-01-31,\n3,2024-01-31,not known\n",
        customers="ID,Start,Billing\n9,2024-02-01,JANE@example.org\n",
    )
    found = [record.person for record in records(source) if isinstance(record, Lead | Customer)]
    jane = hmac.new(KEY.encode(), b"jane@example.org", hashlib.sha256).hexdigest()
    assert found == [jane, None, None, jane]
    assert jane == person_key("jane@example.org")  # as every other connector has it


def test_without_a_key_a_column_of_addresses_is_refused(tmp_path: Path, vault: Vault) -> None:
    vault.forgetful = True
    source = exports(tmp_path, BY_NUMBER, leads="ID,Created,Email\n1,2024-01-31,jane@example.org\n")
    with pytest.raises(ExportError, match=r"columns\.email needs a key.*HOLDWATER_PERSON_KEY.*or take") as caught:
        next(source.pages({}))
    assert "jane" not in str(caught.value)
