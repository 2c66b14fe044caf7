"""What an extra brings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from holdwater.errors import MissingExtraError


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """A missing package becomes the sentence that says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("holdwater"):
            raise
        raise MissingExtraError(
            f"This command needs the package {error.name}, which is not installed:"
            f" run pip install 'holdwater[{extra}]'."
        ) from None
