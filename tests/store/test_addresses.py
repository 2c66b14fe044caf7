"""The file of addresses is written all of it or nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from holdwater.errors import SetupError
from holdwater.store.addresses import address_of, remember


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOLDWATER_STORE", str(tmp_path / "data" / "store.db"))
    return tmp_path / "data" / "addresses.json"


def test_each_source_has_its_address(file: Path) -> None:
    assert address_of("odoo") is None
    remember("odoo", "https://odoo.example")
    remember("tryton", "https://tryton.example/crm")
    remember("odoo", "https://new.example")
    assert (address_of("odoo"), address_of("tryton")) == ("https://new.example", "https://tryton.example/crm")
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
def test_a_disk_that_is_full_leaves_the_file_as_it_was(file: Path) -> None:
    import resource
    import signal

    remember("odoo", "https://odoo.example")
    before = file.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before), limit[1]))
    try:
        with pytest.raises(SetupError, match=r"addresses\.json cannot be written \(File too large\): give --url"):
            remember("tryton", "https://tryton.example/crm")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


BROKEN = (b'{"odoo": "https://od', b"", b"\xff\xfe", b'["https://x"]', b'{"odoo": 5}', b"[" * 200_000)


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file_is_told_in_one_sentence(file: Path, broken: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(broken)
    with pytest.raises(SetupError, match="remove it, and give each address again with holdwater connect"):
        address_of("odoo")
    with pytest.raises(SetupError, match="remove it"):
        remember("odoo", "https://odoo.example")
    assert file.read_bytes() == broken
