"""Exact integer forms of pools: what their contracts would answer, to the unit."""
