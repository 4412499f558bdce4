"""Connector of Binance; see README.md in this folder."""
