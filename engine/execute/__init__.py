"""Carry out plans; paper execution against the book as it will be."""
