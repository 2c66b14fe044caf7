"""A store of every earlier version becomes one of this version, with all its rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from scripted import NOON, one_of_each

from holdwater.crm.connector import Page
from holdwater.errors import StoreError
from holdwater.store.database import Store
from holdwater.store.migrations import VERSION, upgrade

VERSIONS = sorted((Path(__file__).parent / "versions").glob("v*.sql"))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the people of exports whom version 2 knew by plain hashes."""
    monkeypatch.setenv("HOLDWATER_PERSON_KEY", "0123456789abcdef0123456789abcdef")


def earlier(path: Path, version: Path) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(version.read_text(encoding="utf-8"))
    return path


def leads(store: Store, connection: str) -> list[tuple[str, str | None]]:
    rows = [row for rows in store.rows("lead", ["connection", "id", "source"]) for row in rows]
    return sorted((id_, source) for of, id_, source in rows if of == connection)


def structure(path: Path) -> list[tuple[str, ...]]:
    """Every table's columns in order, as SQLite sees them."""
    with closing(sqlite3.connect(path)) as database:
        return sorted(
            database.execute(
                'SELECT m.name, c.name, c.type, c."notnull", c.pk FROM sqlite_master m, pragma_table_info(m.name) c'
            )
        )


def test_every_earlier_version_is_here() -> None:
    assert [version.stem for version in VERSIONS] == [f"v{number}" for number in range(1, VERSION)]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.stem)
def test_an_upgraded_store_is_like_a_new_one_and_has_its_rows(version: Path, tmp_path: Path) -> None:
    old = earlier(tmp_path / "old.db", version)
    with Store.open(old) as store, Store.open(tmp_path / "new.db") as new:
        # After 1 all is read anew, for what the old one did not keep.
        assert store.watermarks("test:1") == ({} if version.stem == "v1" else {"leads": NOON})
        assert [run.rows_read for run in store.runs("test:1")] == [7]
        assert leads(store, "test:1") == [("1", "email"), ("2", None)]
        assert structure(old) == structure(tmp_path / "new.db")
        for each in (store, new):
            each.keep("test:1", Page("mixed", one_of_each()))
        assert list(new.rows("deal", ["amount_minor"])) == [[(1250,)]]
    with Store.open(old) as again:  # and stays one
        assert leads(again, "test:1") == [("1", "email"), ("2", None)]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.stem)
def test_an_upgrade_that_fails_leaves_the_old_store(
    version: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = earlier(tmp_path / "old.db", version)
    before = structure(old)

    def breaks(*arguments: Any) -> None:
        upgrade(*arguments)
        raise sqlite3.OperationalError("the power went")

    monkeypatch.setattr("holdwater.store.database.upgrade", breaks)
    with pytest.raises(StoreError, match="cannot be used"):
        Store.open(old)
    assert structure(old) == before
