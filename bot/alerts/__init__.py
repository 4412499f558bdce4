"""Alerts: what notices become for the operator. Nothing in here knows a clock, a chat or a disk."""
