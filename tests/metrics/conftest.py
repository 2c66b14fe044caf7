"""Spark in local mode, where it is installed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import warnings
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A Spark session with two workers on this machine; skips without PySpark and Java, but not in CI."""
    missing = [name for name, there in (
        ("the extra spark", importlib.util.find_spec("pyspark")), ("Java 17", shutil.which("java"))
    ) if not there]  # fmt: skip
    if missing:
        reason = f"Spark needs {' and '.join(missing)}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    yield session
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session.stop()
