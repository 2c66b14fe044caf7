"""The fitted models that stand in a cell; importing this registers them, and needs no NumPy."""

from holdwater.models import matured

__all__ = ["matured"]
