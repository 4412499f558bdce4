"""Coinbase Advanced Trade: orders, look-ups and the user stream (docs.cdp.coinbase.com, 2026)."""
