"""Kraken spot: orders, look-ups and the executions channel (docs.kraken.com, 2026)."""
