"""Connector of Bitstamp; see README.md in this folder."""
