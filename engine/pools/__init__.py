"""Exact forms of pools' formulas: whole numbers in, whole numbers out, as the contracts round."""
