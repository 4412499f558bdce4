"""Connector of Coinbase; see README.md in this folder."""
