"""Reading a CRM's answers by models that notice what cannot be right, whatever the vendor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from holdwater.errors import BadAnswerError

Model = TypeVar("Model", bound=BaseModel)


class Wire(BaseModel):
    """Passes over fields it does not know."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def read(model: type[Model], answer: object, what: str, crm: str) -> Model:
    """`answer` as `model`; BadAnswerError names `what` and the fields that cannot be read, never a value: a value may
    be personal data."""
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        fields = sorted({".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False)})
    raise BadAnswerError(
        f"{what} has something unusable in {', '.join(fields[:3])};"
        f" mend it in {crm}, or update Holdwater if it looks right there."
    )


def read_all(model: type[Model], answers: Sequence[object]) -> list[Model] | None:
    """All in one go, which takes half as long; None where one cannot be read, which has to be found then."""
    try:
        return _all_of(model).validate_python(answers)
    except ValidationError:
        return None


@cache
def _all_of(model: type[Model]) -> TypeAdapter[list[Model]]:
    return TypeAdapter(list[model])  # type: ignore[valid-type]  # a class that is known when it runs only


def utc_moment(value: object) -> datetime:
    """ISO 8601 with a time zone and nothing else: pydantic's own datetime would take `20260501` for seconds of 1970."""
    if not isinstance(value, str):
        raise ValueError("not a moment")  # noqa: TRY004 -- pydantic collects ValueError only
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("without a time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("beyond the calendar") from None


# Half a letter of UTF-16, which no file can hold, is refused where a limit makes pydantic look at the text at all; the
# limit itself is out of reach.
Written = Annotated[str, Field(max_length=2**31)]
