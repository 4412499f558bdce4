"""Bitstamp: orders, look-ups and the private channels (bitstamp.net/api v2)."""
