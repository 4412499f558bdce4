"""Connector of Kraken; see README.md in this folder."""
