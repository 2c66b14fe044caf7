"""No address is in a store by its plain hash, whatever version wrote it: not in a row, not in a byte of the file."""

from __future__ import annotations

import hashlib
import hmac
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from holdwater.crm.files import Exports
from holdwater.errors import CredentialsError, StoreError
from holdwater.store import fingerprints
from holdwater.store.database import Store
from holdwater.store.sync import sync

VERSIONS = Path(__file__).parent / "versions"
KEY = "0123456789abcdef0123456789abcdef"
SHOP = "exports:shop"


def fingerprint(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()[:32]


def by_hand(text: str) -> str:
    """The id of a name or an address under KEY, without a line of Holdwater's own."""
    mark = hmac.new(KEY.encode(), b"the key itself", hashlib.sha256).hexdigest()[:8]
    return f"hmac-{mark}:{hmac.new(KEY.encode(), fingerprint(text).encode(), hashlib.sha256).hexdigest()[:32]}"


JANE, JOHN, GONE, ANA = PEOPLE = ("jane@example.org", "john@example.org", "gone@example.org", "Ana Smith")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDWATER_PERSON_KEY", KEY)


@pytest.fixture(params=["closed", "killed", "of version 1"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A store with fingerprints, in its free room and its log too."""
    path, written = tmp_path / "old.db", tmp_path / "written.db"
    with closing(sqlite3.connect(written)) as database:
        database.execute("PRAGMA secure_delete = OFF")
        version = "v1" if request.param == "of version 1" else "v2"
        database.executescript((VERSIONS / f"{version}.sql").read_text(encoding="utf-8"))
        database.execute("PRAGMA journal_mode = WAL")
        if version == "v1":
            values = (SHOP, fingerprint(JANE), "", "", None, None, fingerprint(ANA))
            database.execute("INSERT INTO lead VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        for number in range(200):  # enough that whole pages are free once they go
            database.execute("INSERT INTO owner VALUES (?, ?, '', 0)", (SHOP, fingerprint(f"{number}@example.org")))
        database.execute("DELETE FROM owner WHERE connection = ?", (SHOP,))
        database.commit()
        if request.param != "killed":
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for suffix in ("", "-wal"):
            shutil.copy(f"{written}{suffix}", f"{path}{suffix}")
    assert plain(path)
    return path


def plain(path: Path) -> set[bytes]:
    """Every fingerprint in the bytes of the store and of what stands beside it."""
    content = b"\0".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    return set(re.findall(rb"sha256:[0-9a-f]{32}", content)) | {
        digest for text in PEOPLE if (digest := fingerprint(text)[7:].encode()) in content
    }


def ids(path: Path) -> dict[str, set[str]]:
    """Every id of the shop, by the column it stands in."""
    columns = {
        "lead": ("id", "owner_id"),
        "deal": ("id", "lead_id", "owner_id"),
        "customer": ("id", "lead_id"),
        "gone": ("id",),
    }
    with closing(sqlite3.connect(path)) as database:
        there = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        return {
            f"{table}.{column}": {
                id_ for (id_,) in database.execute(f"SELECT {column} FROM {table} WHERE connection = ?", (SHOP,)) if id_
            }
            for table, names in columns.items()
            if table in there  # version 1 had fewer
            for column in names
        }


@pytest.mark.usefixtures("key")
def test_with_a_key_every_id_becomes_a_keyed_one(old: Path) -> None:
    before = ids(old)
    known = {fingerprint(text): by_hand(text) for text in PEOPLE}
    with Store.open(old):
        assert not plain(old)  # while it is open, too
    assert not plain(old)
    after = ids(old)
    assert {column: after[column] for column in before} == {
        column: {known.get(id_, id_) for id_ in held} for column, held in before.items()
    }
    assert by_hand(JANE) in ids(old)["lead.id"]
    assert by_hand(ANA) in ids(old)["lead.owner_id"]


def test_without_a_key_the_store_stays_as_it_was(old: Path) -> None:
    before = ids(old), plain(old)
    with pytest.raises(StoreError, match="unlock the keyring, or set HOLDWATER_PERSON_KEY"):
        Store.open(old)
    assert (ids(old), plain(old)) == before


@pytest.fixture
def version_2(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript((VERSIONS / "v2.sql").read_text(encoding="utf-8"))
        database.execute("PRAGMA journal_mode = WAL")
    return path


def shop(folder: Path) -> Exports:
    """The export that the store of version 2 was made from, by which a store of this version knows the same ids."""
    (folder / "leads.csv").write_text(
        "Email,Created,Source,Owner\njane@example.org,2024-01-31,Ads,Ana Smith\n"
        "John@Example.org,2024-02-01,Ads,7\n4711,2024-02-02,,\n"
    )
    (folder / "shop.toml").write_text(
        'name = "shop"\n[leads]\nfile = "leads.csv"\n'
        'columns = { id = "Email", created_at = "Created", source = "Source", owner_id = "Owner" }\n'
    )
    return Exports(folder, folder / "shop.toml")


@pytest.mark.usefixtures("key")
def test_a_sync_after_the_upgrade_doubles_nothing(version_2: Path, tmp_path: Path) -> None:
    with Store.open(version_2) as store:
        before = ids(version_2)["lead.id"]
        sync(shop(tmp_path), store)
    assert ids(version_2)["lead.id"] == before == {by_hand(JANE), by_hand(JOHN), "4711"}


def test_a_key_that_is_too_short_leaves_the_store_as_it_was(version_2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids(version_2)
    monkeypatch.setenv("HOLDWATER_PERSON_KEY", "short")
    with pytest.raises(CredentialsError, match="HOLDWATER_PERSON_KEY is too short"):
        Store.open(version_2)
    assert ids(version_2) == before


class PowerCut(sqlite3.Connection):
    """A connection that breaks off before the file is written anew."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql == "VACUUM":
            raise sqlite3.OperationalError("the power went")
        return super().execute(sql, *values)


@pytest.mark.usefixtures("key")
def test_an_upgrade_that_broke_off_goes_on(old: Path) -> None:
    with (
        closing(sqlite3.connect(old, isolation_level=None, factory=PowerCut)) as database,
        pytest.raises(sqlite3.OperationalError, match="the power went"),
    ):
        fingerprints.take_out(database, old)
    assert plain(old)
    with Store.open(old):
        assert not plain(old)
    assert by_hand(JANE) in ids(old)["lead.id"]


@pytest.mark.usefixtures("key")
def test_another_program_that_reads_the_store_is_named(version_2: Path) -> None:
    with (
        closing(sqlite3.connect(version_2, isolation_level=None)) as reader,
        closing(sqlite3.connect(version_2, isolation_level=None, timeout=0)) as database,
    ):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM lead").fetchone()
        with pytest.raises(StoreError, match="another program is reading it: end every other Holdwater"):
            fingerprints.take_out(database, version_2)
        reader.execute("COMMIT")
        fingerprints.take_out(database, version_2)
        assert not plain(version_2)


@pytest.mark.usefixtures("key")
def test_new_rows_hold_no_plain_hash(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    with Store.open(path) as store:
        sync(shop(tmp_path), store)
        assert not plain(path)
    assert ids(path)["lead.id"] == {by_hand(JANE), by_hand(JOHN), "4711"}


OTHER = KEY[::-1]


@pytest.mark.usefixtures("key")
def test_another_key_is_refused_before_anybody_is_doubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new.db"
    with Store.open(path) as store:
        sync(shop(tmp_path), store)
        before = store.checksum()
        monkeypatch.setenv("HOLDWATER_PERSON_KEY", OTHER)
        with pytest.raises(StoreError, match="people under another key: set HOLDWATER"):
            sync(shop(tmp_path), store)
        assert store.checksum() == before
        monkeypatch.setenv("HOLDWATER_PERSON_KEY", KEY)
        assert sync(shop(tmp_path), store).status == "done"


@pytest.mark.usefixtures("key")
def test_another_key_is_refused_too_where_only_persons_are_known_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "leads.csv").write_text("ID,Created,Mail\n1,2024-01-31,\n2,2024-02-01,jane@example.org\n")
    (tmp_path / "crm.toml").write_text(
        'name = "crm"\n[leads]\nfile = "leads.csv"\ncolumns = { id = "ID", created_at = "Created", email = "Mail" }\n'
    )
    crm = Exports(tmp_path, tmp_path / "crm.toml")
    with Store.open(tmp_path / "new.db") as store:
        sync(crm, store)
        monkeypatch.setenv("HOLDWATER_PERSON_KEY", OTHER)
        for another in (crm, shop(tmp_path)):
            with pytest.raises(StoreError, match="people under another key"):
                sync(another, store)


def test_an_export_known_by_numbers_never_asks_for_the_key_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shop(tmp_path)
    (tmp_path / "leads.csv").write_text("Email,Created,Source,Owner\n4711,2024-01-31,Ads,7\n")
    with Store.open(tmp_path / "new.db") as store:
        for key in (KEY, OTHER, "short"):
            monkeypatch.setenv("HOLDWATER_PERSON_KEY", key)
            assert sync(source, store).status == "done"
