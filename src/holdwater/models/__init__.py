"""Fitted statistics and Monte Carlo, on NumPy alone; each result says how sure it is.

retention: how long customers with a contract stay. purchases: what customers without one buy, and are worth.
conversion: by source, and while deals are still open. uncertain_bucket: the leaky bucket with limits.
cells: those of them that stand in a cell.
"""
