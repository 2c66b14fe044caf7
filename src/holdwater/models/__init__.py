"""Fitted statistics and Monte Carlo, on NumPy alone; each result says how sure it is."""
