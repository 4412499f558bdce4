"""Transactions that wait for a block, and what they will do to pools."""
