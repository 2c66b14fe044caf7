"""The catalogue: every formula is a plain function on the standard library, and its body is the formula."""

from holdwater.formulas import acquisition, capacity, conversion, retention

__all__ = ["acquisition", "capacity", "conversion", "retention"]
