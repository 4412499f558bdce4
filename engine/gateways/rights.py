"""Whether a key may be traded with: one that may withdraw is refused, whatever else it may."""

from engine.domain.venue_orders import KeyRights

UNTOLD = KeyRights(may_read=None, may_trade=None, may_withdraw=None)
"""Of a venue that tells no rights."""


def why_no_trading_key(rights: KeyRights, *, is_vouched: bool = False) -> str:
    """Say why nothing may be traded with a key; empty if it may be.

    Args:
        rights: as the venue says; `UNTOLD` where it says nothing.
        is_vouched: a person looked at the venue that it cannot withdraw. That counts only where
            the venue itself says nothing.
    """
    if rights.may_withdraw:
        return "the key may withdraw: make one that may read and trade, and nothing else"
    if rights.may_withdraw is None and not is_vouched:
        return (
            "the venue does not say whether the key may withdraw: look there, and name the key in"
            " SYNDICATE_EXCHANGES_VOUCHED if it may not"
        )
    if rights.may_trade is False:
        return "the key may not trade"
    if rights.may_read is False:
        return "the key may not read orders and balances"
    return ""
