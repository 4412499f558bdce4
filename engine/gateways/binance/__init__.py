"""Binance spot: orders, look-ups and the user stream (binance-spot-api-docs, 2026-07)."""
