"""All tables: the metadata knows each only once its module is loaded."""

from engine.storage.tables import acts, background, balances, chats, roles, trades
from engine.storage.tables.metadata import metadata

__all__ = ["acts", "background", "balances", "chats", "metadata", "roles", "trades"]
