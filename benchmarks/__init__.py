"""Figures that the README claims, one file each."""
