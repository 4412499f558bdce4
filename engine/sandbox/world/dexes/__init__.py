"""Deploys each kind of DEX and makes its pools."""
