"""Finds pools and what their tokens are."""
