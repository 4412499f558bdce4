"""Legs shared among parallel places: shares, the search for places that pay, and whole numbers."""
