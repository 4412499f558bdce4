"""Positions, and the liquidity that paper trades already took."""
