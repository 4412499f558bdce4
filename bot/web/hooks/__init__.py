"""Webhooks: events of chains as providers post them, kept on disk before they are acknowledged."""
