"""Bounds: limits with a number, a file each."""
