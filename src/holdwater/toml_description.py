"""A business described in a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from holdwater.bucket.description import PERIODS, Description
from holdwater.bucket.labels import label_of
from holdwater.bucket.model import Bucket
from holdwater.errors import DescriptionError, KindError

PROJECT = ("name", "lever", "change", "cost", "periods", "needs", "running_cost")  # the columns of FIX_SEQUENCE
_TOP = ("bucket", "projects", "budget", "horizon", "currency", "period")
_LABELS = tuple(field.name for field in fields(Bucket))
_LONGEST_CURRENCY = 10


def read_toml(path: Path) -> Description:
    """DescriptionError if the file cannot be read, KindError or NumError for what stands in it."""
    data = _parsed(path)
    top: dict[str, Any] = {}
    for key, value in data.items():
        label = label_of(key, _TOP, f"the entry {key[:40]!r}")
        if label in top:
            raise KindError(f"{label} stands there twice; keep one.")
        top[label] = value
    if "bucket" not in top:
        raise KindError("the table [bucket] is missing; put the numbers of the business below that line.")
    model, bucket = _model(_table(top["bucket"], "[bucket]"))
    projects = _projects(top.get("projects", []))
    for label in ("budget", "horizon"):
        if label in top and not projects:
            raise KindError(f"{label} at the top belongs to projects, and there are none; add [[projects]].")
    return Description(
        bucket=bucket,
        origin=path.name,
        period=_period(top.get("period", PERIODS[0])),
        currency=_currency(top.get("currency", "")),
        projects=projects,
        budget=top.get("budget"),  # FIX_SEQUENCE checks it, and the horizon
        horizon=top.get("horizon"),
        uncertain=model,
    )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise DescriptionError(f"There is no file {path}: give a description (.toml) or a workbook (.xlsx).") from None
    except OSError as problem:
        raise DescriptionError(f"{path} cannot be read ({problem.strerror}): check its path.") from None
    except UnicodeDecodeError:
        raise DescriptionError(f"{path} is not written in UTF-8: save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as problem:
        raise DescriptionError(f"{path} is not valid TOML: {problem}; docs/diagnose.md shows an example.") from None
    except RecursionError:
        raise DescriptionError(f"{path} nests brackets too deeply: docs/diagnose.md shows an example.") from None


def _table(value: object, header: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise KindError(f"{header} is no table; write its entries below a line {header}, such as churn = 0.04.")
    for key in value:
        if key in _TOP and key != "horizon":
            raise KindError(f"{key} stands below {header}; it belongs at the top of the file, above every [table].")
    return value


def _model(table: Mapping[str, Any]) -> tuple[dict[str, object] | None, Bucket]:
    """The uncertain model, where there is one, and the Bucket in its middle."""
    if not any(isinstance(value, Mapping) for value in table.values()):
        return None, Bucket.of(table)
    from holdwater.models.uncertain_bucket import UncertainBucket  # here, because it needs NumPy

    model = {label: _uncertain(label, v) if isinstance(v, Mapping) else v for label, v in table.items()}
    return model, UncertainBucket.of(model).middle


def _uncertain(label: str, entries: Mapping[str, Any]) -> object:
    from holdwater.models.uncertain_bucket import Between, Counted

    known = label_of(label, _LABELS, f"Bucket: the label in {label!r}")
    match dict(entries):
        case {"low": low, "high": high, **rest} if not rest.keys() - {"confidence"}:
            return Between(low, high, **rest)
        case {"count": count, "of": of, **rest} if not rest:
            return Counted(count, of)
        case {"won": won, "of": of, **rest} if not rest and known == "conversion":
            return Counted(won, of)
        case {"lost": lost, "of": of, **rest} if not rest and known == "churn":
            return Counted(lost, of)
    raise KindError(
        f"{known} is a table of {', '.join(entries) or '{}'}; write {{low = .., high = ..}}, or a count:"
        " conversion = {won = 14, of = 60}, churn = {lost = 9, of = 240}, another share {count = .., of = ..}."
    )


def _projects(value: object) -> tuple[tuple[Any, ...], ...]:
    if not isinstance(value, list):
        raise KindError("projects is no list; begin each project with a line [[projects]].")
    rows = []
    for position, item in enumerate(value, start=1):
        cells = dict.fromkeys(PROJECT)
        for key, cell in _table(item, "[[projects]]").items():
            column = label_of(key, PROJECT, f"the entry {key[:40]!r} of project {position}")
            cells[column] = ", ".join(map(str, cell)) if column == "needs" and isinstance(cell, list) else cell
        rows.append(tuple(cells.values()))
    return tuple(rows)


def _period(value: object) -> str:
    return label_of(value, PERIODS, "period")


def _currency(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_CURRENCY or not value.isprintable():
        raise KindError('currency is no short text; write one such as "EUR".')
    return value.strip()
