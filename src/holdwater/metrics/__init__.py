"""Figures about leads and customers, as Ibis expressions over the canonical tables."""
