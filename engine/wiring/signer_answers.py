"""What the role `signer` answers: to whoever sends, whoever trades, and persons."""

import logging
from collections.abc import Sequence
from decimal import Decimal

from engine.bus.request import Reply, Request
from engine.bus.signing import (
    CapLine,
    Heard,
    LookUpLetRun,
    SignedChain,
    SignedVenue,
    TakeBackWords,
    WalletsReport,
)
from engine.bus.venue_signing import PlanReply, VenueReply
from engine.domain.chains import NATIVE_ASSETS
from engine.domain.errors import BadValueError, FatalError, SettingsError
from engine.domain.signing import Signed, SigningIntent, SignRefusal
from engine.domain.units import NATIVE_DECIMALS
from engine.domain.venue_orders import KeyRights
from engine.domain.words import SealedWord
from engine.gateways.asks import OfWithdrawals, PlaceAsk
from engine.gateways.venue_signing import PlanIntent, VenueIntent
from engine.operate.clock import Clock
from engine.settings.schema import Settings
from engine.signing.desk import USD_CAP, SigningDesk, count_cap, gas_cap, usd_of_micro
from engine.signing.guards import Guard
from engine.signing.password_pace import PasswordPace
from engine.signing.venue_caps import MOVED_CAP, ORDERS_CAP, UNWINDINGS_CAP, UNWOUND_CAP
from engine.signing.venue_desk import VenueDesk
from engine.signing.withdraw_desk import WithdrawDesk
from engine.signing.withdraw_terms import UNITS, day_cap
from engine.wiring.markets import basis_of
from engine.wiring.signer_keys import KeyPlace
from engine.wiring.signer_venues import VenueKeys, open_to_withdraw
from engine.wiring.venue_rotation import VenueRotation
from engine.wiring.wallet_leases import WalletLeases

log = logging.getLogger(__name__)


class SignerAnswers:
    """What the role answers; see `bus.signing.Signer`."""

    def __init__(
        self,
        settings: Settings,
        desk: SigningDesk,
        place: KeyPlace,
        guards: Sequence[Guard],
        clock: Clock,
        *,
        wallets: WalletLeases,
        venues: VenueDesk,
        venue_keys: VenueKeys,
        withdrawals: WithdrawDesk,
        withdraw_keys: VenueKeys,
        rotation: VenueRotation,
        pace: PasswordPace,
    ) -> None:
        self._rotation, self._pace = rotation, pace
        self._withdrawals = withdrawals
        self._withdraw_keys = withdraw_keys
        self._wallets = wallets
        self._settings = settings
        self._desk = desk
        self._venues = venues
        self._venue_keys = venue_keys
        self._place = place
        self._guards = guards
        self._clock = clock

    async def answer(self, request: Request[Reply], /) -> Reply:
        """See `bus.request.Answerer`."""
        return await request.answer(self)

    async def sign(self, intent: SigningIntent) -> Signed | SignRefusal:
        """See `bus.signing.Signer`."""
        reply = await self._desk.sign(intent)
        if isinstance(reply, SignRefusal):
            log.warning("not signed, %s: %s", reply.kind, reply.detail)
        return reply

    def rehearse(self, intent: SigningIntent) -> None:
        """See `bus.signing.Signer`."""
        self._desk.rehearse(intent)

    def rehearse_together(self, intent: PlanIntent) -> None:
        """See `bus.venue_signing.VenueSigner`."""
        if not self._desk.turn.locked():
            self._venues.rehearse(intent)

    async def sign_together(self, intent: PlanIntent) -> PlanReply:
        """See `bus.venue_signing.VenueSigner`."""
        async with self._desk.turn:
            reply = self._venues.sign_together(intent)
        if isinstance(reply, SignRefusal):
            log.warning("orders not signed, %s: %s", reply.kind, reply.detail)
        return reply

    async def sign_calls(self, intent: VenueIntent) -> VenueReply:
        """See `bus.venue_signing.VenueSigner`."""
        if isinstance(intent.ask, OfWithdrawals):
            async with self._desk.turn:
                reply = self._withdrawals.sign(intent)
        elif isinstance(intent.ask, PlaceAsk):
            # Caps are shared with transactions, of which one may be waiting for a key elsewhere.
            async with self._desk.turn:
                reply = self._venues.sign(intent)
        else:
            reply = self._venues.sign(intent)
        if isinstance(reply, SignRefusal):
            log.warning("not signed for %s, %s: %s", intent.venue[:40], reply.kind, reply.detail)
        return reply

    def wallets(self) -> WalletsReport:
        """See `bus.signing.Signer`."""
        wallet, terms, caps = self._desk.wallet, self._desk.terms, self._desk.caps
        caps.look(self._clock())
        lines = [
            self._line("moved by plans", "USD", usd_of_micro(caps.used.get(USD_CAP, 0)),
                       usd_of_micro(caps.caps[USD_CAP]))
        ]  # fmt: skip
        for is_protective in (False, True):
            name = count_cap(is_protective=is_protective)
            lines.append(
                self._line(name, "", Decimal(caps.used.get(name, 0)), Decimal(caps.caps[name]))
            )
            for chain in terms.chain_ids:
                gas = gas_cap(chain, is_protective=is_protective)
                what = f"gas on {chain}{' to protect' if is_protective else ''}"
                used, most = (
                    Decimal(one).scaleb(-NATIVE_DECIMALS)
                    for one in (caps.used.get(gas, 0), caps.caps[gas])
                )
                lines.append(self._line(what, NATIVE_ASSETS[chain], used, most))
        lines += self._venue_lines()
        return WalletsReport(
            basis=basis_of(self._settings),
            is_locked=wallet is None,
            address=self._place.address,
            key=self._place.kind,
            chains=[
                SignedChain(
                    name=name, chain_id=number, contracts=dict(terms.contracts.get(name, {}))
                )
                for name, number in terms.chain_ids.items()
            ],
            day=caps.day,
            caps=lines,
            guards=[str(one) for one in self._guards if one.is_up],
            missing=[str(one) for one in self._guards if not one.is_up],
            venues=[
                SignedVenue(name=one, key=key, withdraw_key=self._withdrawals.keys.get(one))
                for one, key in self._venues.keys.items()
            ],
        )

    def _venue_lines(self) -> list[CapLine]:
        caps = self._desk.caps
        if not self._venues.terms.venues:
            return []
        moved = [
            self._line(what, "USD", usd_of_micro(caps.used.get(cap, 0)),
                       usd_of_micro(caps.caps[cap]))
            for what, cap in (("moved at exchanges", MOVED_CAP),
                              ("unwound at exchanges, to protect", UNWOUND_CAP))
        ]  # fmt: skip
        counts = [
            self._line(what, "", Decimal(caps.used.get(cap, 0)), Decimal(caps.caps[cap]))
            for what, cap in (("orders at exchanges", ORDERS_CAP),
                              ("orders that unwind, to protect", UNWINDINGS_CAP))
        ]  # fmt: skip
        out = [
            self._line(
                f"{asset} withdrawn", asset, Decimal(caps.used.get(day_cap(asset), 0)) / UNITS, most
            )
            for asset, most in self._withdrawals.terms.day.items()
        ]
        return [*moved, *counts, *out]

    async def unlock(self, password: str) -> WalletsReport:
        """See `bus.signing.Signer`."""
        is_wallets = self._desk.wallet is None and self._place.is_there
        locked = self._venue_keys.is_locked or self._withdraw_keys.is_locked
        if not is_wallets and not locked:
            raise BadValueError("the key is open already")
        try:
            async with self._pace.trying():
                await self._unlock(password, is_wallets=is_wallets)
        except FatalError as error:
            raise BadValueError(str(error)) from None
        return self.wallets()

    async def _unlock(self, password: str, *, is_wallets: bool) -> None:
        """Open what a password opens; raises `SettingsError` if that is nothing."""
        ills = [await self._unlock_wallet(password)] if is_wallets else []
        if self._venue_keys.is_locked:
            ills.append(await self._unlock_venues(password))
        if self._withdraw_keys.is_locked:
            ills.append(await self._unlock_withdrawals(password))
        if not ills:  # somebody else's password opened it while this one waited
            raise BadValueError("the key is open already")
        if all(ills):  # one password may be of some of them alone
            raise SettingsError(ills[0])

    async def _unlock_wallet(self, password: str) -> str:
        """Return why it does not open; empty if it does."""
        try:
            wallet = await self._place.unlock(password.encode())
            self._wallets.take(wallet.address)
        except FatalError as error:
            return str(error)
        self._desk.wallet = wallet
        log.info("the key of %s is open", self._place.address)
        return ""

    async def _unlock_venues(self, password: str) -> str:
        """Return why no key of a venue opens; empty if one does."""
        try:
            for venue, key in (await self._venue_keys.unlock(password.encode())).items():
                self._venues.open(venue, key)
                log.info("the key %s of %s is open", key.name, venue)
        except SettingsError as error:
            return str(error)
        return ""

    async def _unlock_withdrawals(self, password: str) -> str:
        """Return why no withdraw key opens; empty if one does."""
        try:
            for venue, key in (await self._withdraw_keys.unlock(password.encode())).items():
                open_to_withdraw(self._withdrawals, self._venues, venue, key)
                log.info("the withdraw key %s of %s is open", key.name, venue)
        except SettingsError as error:
            return str(error)
        return ""

    async def rotate(
        self, venue: str, sealed: str, password: str, rights: KeyRights
    ) -> WalletsReport:
        """See `bus.signing.Signer`."""
        try:
            await self._rotation.rotate(venue, sealed.encode(), password.encode(), rights)
        except FatalError as error:  # the key that signs goes on
            log.warning("no other key signs for %s: %s", venue[:40], error)
            raise BadValueError(str(error)) from None
        return self.wallets()

    def hear(self, word: SealedWord) -> Heard:
        """See `bus.signing.Signer`."""
        self._desk.words.hear(word, self._clock())
        return Heard()

    def take_back(self, asked: TakeBackWords) -> Heard:
        """See `bus.signing.Signer`."""
        if asked.transfer_id:
            self._withdrawals.take_back(asked.engine, asked.transfer_id)
            return Heard()
        self._desk.words.take_back(
            asked.engine, mandate_id=asked.mandate_id, chain=asked.chain, is_all=asked.is_all
        )
        return Heard()

    def look_up_let_run(self, asked: LookUpLetRun) -> Heard:
        """See `bus.signing.Signer`."""
        why = self._desk.words.why_not_run(
            asked.chain, now_ns=self._clock(), command_id=asked.command_id
        )
        if why:
            raise BadValueError(why)
        return Heard()

    @staticmethod
    def _line(what: str, unit: str, used: Decimal, most: Decimal) -> CapLine:
        return CapLine(what=what, unit=unit, used=used, most=most)
