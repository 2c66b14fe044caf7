"""A request to Stripe, read as Stripe reads it; what it cannot read it refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from holdwater.sandbox.dialect import Json

LIMIT, MOST = 10, 100
_PAGING = {"limit", "starting_after", "ending_before", "expand"}


class Refused(Exception):  # noqa: N818 - the answer to a bad request, not an error of Holdwater
    """Stripe's answer to a request it does not accept: a status, and what its error object says."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error: Json = {"message": message, "type": "invalid_request_error"}
        if code is not None:
            self.error |= {"code": code, "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"}
        if param is not None:
            self.error["param"] = param


def missing(kind: str, id_: str, *, param: str = "id") -> Refused:
    """No object has this id: a 404 for the path, a 400 for a parameter."""
    return Refused(404 if param == "id" else 400, f"No such {kind}: '{id_}'", code="resource_missing", param=param)


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a request: `values` by name, `lists` such as `types[0]` by the name before the bracket."""

    values: Mapping[str, str]
    lists: Mapping[str, list[str]]

    @classmethod
    def of(cls, text: str, known: set[str]) -> Query:
        """Of the query string; Refused for what is not `known` or of paging."""
        values: dict[str, str] = {}
        lists: dict[str, list[str]] = {}
        for key, value in parse_qsl(text, keep_blank_values=True):
            outer = key.partition("[")[0]
            if outer not in known | _PAGING:
                raise Refused(400, f"Received unknown parameter: {outer}", code="parameter_unknown", param=outer)
            if re.fullmatch(r"\w+\[\d*\]", key):
                lists.setdefault(outer, []).append(value)
            else:
                values[key] = value
        return cls(values, lists)

    @property
    def limit(self) -> int:
        text = self.values.get("limit", str(LIMIT))
        if not text.isdecimal():
            raise Refused(400, f"Invalid integer: {text}", code="parameter_invalid_integer", param="limit")
        if not 0 < int(text) <= MOST:
            raise Refused(400, f"The limit must be from 1 to {MOST}.", param="limit")
        return int(text)

    @property
    def created(self) -> tuple[int, int]:
        """The first and the last second of the interval that the query asks for."""
        first, last = 0, 2**40
        for name in ("created", "created[gt]", "created[gte]", "created[lt]", "created[lte]"):
            text = self.values.get(name)
            if text is None:
                continue
            if not text.isdecimal():
                raise Refused(400, "Invalid timestamp: it must be an integer of seconds.", param=name)
            if name in ("created", "created[gte]", "created[gt]"):
                first = max(first, int(text) + name.endswith("[gt]"))
            if name in ("created", "created[lte]", "created[lt]"):
                last = min(last, int(text) - name.endswith("[lt]"))
        return first, last

    def wants(self, type_: str) -> bool:
        """Whether events of this type are asked for."""
        one = self.values.get("type", "*")
        many = self.lists.get("types")
        if many is not None and len(many) > 20:
            raise Refused(400, "types takes 20 names at most.", param="types")
        fits = type_ == one or (one.endswith("*") and type_.startswith(one[:-1]))
        return fits and (many is None or type_ in many)
