"""Figures in the sentences that decisions leave behind."""

from decimal import Decimal


def four_digits(value: float) -> str:
    """Return a figure with four significant digits, never with an exponent."""
    return f"{Decimal(f'{value:.4g}'):f}"
