"""What a venue said of its key, and how the last self-test there went: a file of the signer's own.

The operator's step (`make exchange-test VENUE=binance`) writes it from what the trader was told;
the signer reads it, and signs no order for a real exchange where nothing stands.
"""

from pathlib import Path
from typing import Final

import msgspec

from engine.domain.venue_orders import KeyRights
from engine.signing.kept_file import KeptFile

FILE_NAME: Final = "exchange-tests.json"


class VenueChecked(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a venue's account.

    Attributes:
        key: name of the key that all of it is about.
        rights: what the venue said that it may do.
        tested_at_ns: when an order far from the market was placed, looked up and cancelled last,
            all as it should be; 0 for never.
        reconciled_at_ns: when orders, fills and balances there last equalled our books; 0 for
            never.
    """

    key: str
    rights: KeyRights
    tested_at_ns: int = 0
    reconciled_at_ns: int = 0


def withdrawals_of(venue: str) -> str:
    """Return the name under which is kept what a venue said of its withdraw key."""
    return f"{venue} withdrawals"


def checked_venues(folder: Path) -> KeptFile[VenueChecked]:
    """Return the file in the signer's folder, by venue."""
    return KeptFile(folder / FILE_NAME, VenueChecked, mend="run make exchange-test again")
