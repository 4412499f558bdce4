"""Which of the roles that hold keys, sign and send there are, by the settings."""

from engine.settings.schema import Settings


def trades_at_exchanges(settings: Settings) -> bool:
    """Say whether orders may be placed anywhere, whatever is missing still."""
    return settings.exchanges.trades != "off"


def signing_roles(settings: Settings) -> tuple[str, ...]:
    """Return those roles; they answer on this machine alone, whatever carries the bus."""
    sends = settings.signer.signs != "off"
    trades = trades_at_exchanges(settings)
    found = {"signer": sends or trades, "sender": sends, "trader": trades}
    return tuple(role for role, is_there in found.items() if is_there)
