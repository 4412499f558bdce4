"""Connector of Gemini; see README.md in this folder."""
