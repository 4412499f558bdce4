"""Gemini: orders, look-ups and the order stream (docs.gemini.com, and its developer platform)."""
