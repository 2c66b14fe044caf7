"""The fitted models that stand in a cell; importing this registers them, and needs no NumPy."""

from holdwater.models import customer_values, matured

__all__ = ["customer_values", "matured"]
