"""Another key in the place of the one that signs for a venue, without a restart.

Whoever asks knows the password of the key that signs now: nobody else may change whose account is
traded on. What the venue says that the new key may do is looked at before it signs anything. Both
keys are of one account, so what the old one signed stands: ids, sizes of legs and caps go on.
"""

import asyncio
import logging
from typing import Final

import msgspec

from engine.domain.errors import SettingsError
from engine.domain.venue_orders import KeyRights
from engine.gateways.rights import why_no_trading_key
from engine.signing.kept_file import KeptFile
from engine.signing.password_pace import PasswordPace
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_checked import VenueChecked
from engine.signing.venue_desk import VenueDesk
from engine.signing.venue_keys import open_venue_key, parse_venue_key
from engine.signing.withdraw_desk import WithdrawDesk
from engine.wiring.signer_venues import VenueKeys

log = logging.getLogger(__name__)


class VenueRotation:
    """See the module.

    Args:
        desk: signs for venues.
        keys: their files, as they were taken last.
        withdrawals: has keys of its own, none of which may trade.
        checked: what venues said of keys, by which orders with real money are signed.
        pace: of all passwords that are tried.
    """

    def __init__(
        self,
        desk: VenueDesk,
        keys: VenueKeys,
        withdrawals: WithdrawDesk,
        checked: KeptFile[VenueChecked],
        pace: PasswordPace,
    ) -> None:
        self._desk: Final = desk
        self._keys: Final = keys
        self._withdrawals: Final = withdrawals
        self._checked: Final = checked
        self._pace: Final = pace
        self._turn: Final = asyncio.Lock()

    async def rotate(self, venue: str, sealed: bytes, password: bytes, rights: KeyRights) -> None:
        """Sign with a new key from now on, or go on with the old one.

        Args:
            venue: whose key it is.
            sealed: the new key's file.
            password: of both of them.
            rights: what the venue said of the new one.

        Raises:
            SettingsError: it is none to trade with, or the password is wrong.
            FatalError: what the venue said cannot be written down.
        """
        async with self._turn:  # opening a file takes 260 MB
            old = self._desk.keys.get(venue, "")
            if not old:
                raise SettingsError(f"no key of {venue[:40]!r} is open that another could replace")
            async with self._pace.trying():
                await self._keys.check_password(venue, password)
            where = f"the new key of {venue}"
            store = parse_venue_key(sealed, venue, where=where)
            if isinstance(store, VenueKey):
                raise SettingsError(f"{where} is not sealed")
            key = await asyncio.to_thread(open_venue_key, store, password, where=where)
            self._check(venue, key, old, rights)
            # Nothing waits from here on: each signature is by the one or by the other.
            self._keep_rights(venue, key, rights)
            self._desk.open(venue, key)
            self._keys.renew(venue, store)
        log.info("the key %s of %s signs from now on, in the place of %s", key.name, venue, old)

    def _check(self, venue: str, key: VenueKey, old: str, rights: KeyRights) -> None:
        if key.name == old:
            raise SettingsError(f"{key.name} is the key that signs for {venue} already")
        if self._withdrawals.keys.get(venue) == key.name:
            raise SettingsError(
                f"{key.name} is the key that withdraws from {venue}: make one for each"
            )
        vouched = self._desk.terms.vouched.get(venue)
        if why := why_no_trading_key(rights, is_vouched=vouched == key.name):
            raise SettingsError(f"the new key of {venue} is not used: {why}")

    def _keep_rights(self, venue: str, key: VenueKey, rights: KeyRights) -> None:
        """Write down what the venue said of the new key; a self-test with it there was none yet."""
        known = self._checked.read().get(venue)
        if known is None:
            known = VenueChecked(key=key.name, rights=rights)
        new = msgspec.structs.replace(known, key=key.name, rights=rights, tested_at_ns=0)
        self._checked.keep(venue, new)
