"""`python -m engine keys rotate VENUE`: another key takes the place of the one that signs.

This command asks the venue with the new key what that may do and what the account holds: it has the
key in its hands anyway, and no role that trades does. What the key may do the signer judges. That
it is of the same account is seen by what is held there, which the trader read with the old one.
"""

import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, Protocol

from engine.bus.records import Append, KeyActRecord
from engine.bus.request import Caller
from engine.bus.trading import SeeVenues
from engine.bus.unix_socket import SocketCaller
from engine.connectors.limiter import Limiter
from engine.domain.errors import BadValueError, SettingsError, TransientError
from engine.domain.exact import exact_sum
from engine.domain.orders_told import HeldAtVenue
from engine.domain.replaced_file import sync_folder
from engine.domain.units import NS_PER_MS
from engine.domain.venue_orders import BalanceShown, KeyRights
from engine.gateways.asks import calls_of
from engine.gateways.gateway import Gateway
from engine.gateways.gateway_list import gateway_of
from engine.gateways.venue_signing import VenueIntent, VenueSigned
from engine.operate.clock import make_clock
from engine.operate.streams import say
from engine.ports import RequestBudget
from engine.requests.wallets import GetWallets, RotateVenueKey
from engine.settings.schema import Settings
from engine.signing.secret_files import write_secret_file
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.auth_list import authentication_of
from engine.signing.venue_keys import seal_venue_key
from engine.trading.account import UnreadError, read_account, read_rights
from engine.trading.connections import Connections
from engine.trading.line import Line
from engine.trading.wire import HttpWire, Wire
from engine.wiring.paths import Paths
from engine.wiring.signer_venues import venue_key_path
from engine.wiring.trader_venues import elapsed_ms, venue_urls

WAIT_S: Final = 30.0
"""For the signer, which opens two sealed files."""


class Roles(Protocol):
    """The roles that are asked."""

    @property
    def signer(self) -> Caller:
        """Signs with the key."""
        ...

    @property
    def trader(self) -> Caller:
        """Knows what is held at the venue."""
        ...

    @property
    def ledger(self) -> Caller:
        """Keeps the audit."""
        ...


class RunningRoles:
    """Obeys `Roles`: those of an installation, by their sockets."""

    def __init__(self, paths: Paths) -> None:
        self._all = [
            SocketCaller(paths.socket(name), role=name) for name in ("signer", "trader", "ledger")
        ]
        self.signer, self.trader, self.ledger = self._all

    async def aclose(self) -> None:
        """Close the ways to them."""
        for one in self._all:
            await one.aclose()


async def rotate_at_venue(
    settings: Settings, paths: Paths, venue: str, key: VenueKey, password: bytes
) -> None:
    """Have a key sign for a venue from now on, and after each restart.

    Args:
        settings: say where the venue is.
        paths: of the installation.
        venue: whose key it is.
        key: the new one.
        password: of the key that signs now; it becomes the new one's, too.

    Raises:
        SettingsError: the new key is not to be used; the old one goes on.
        BadValueError: the signer or the audit refuses it; the old one goes on.
        TransientError: the venue or a role is away; the text says what is so.
    """
    urls = venue_urls(settings, paths).get(venue)
    if urls is None:
        raise SettingsError(f"no orders are placed at {venue!r} by SYNDICATE_EXCHANGES_VENUES")
    gateway, roles = gateway_of(venue), RunningRoles(paths)
    connections = Connections(urls.rest, proxy=urls.proxy)
    try:
        budget = RequestBudget(
            weight_per_s=gateway.pace.weight_per_s, weight_burst=gateway.pace.weight_burst
        )
        limiter = Limiter(budget, now_ns=make_clock())
        line = line_with(key, gateway, HttpWire(connections, limiter), limiter)
        path = venue_key_path(settings, paths, venue)
        await rotate_key(roles, line, key, password, path)
    finally:
        await connections.aclose()
        await roles.aclose()


async def rotate_key(roles: Roles, line: Line, key: VenueKey, password: bytes, path: Path) -> None:
    """See `rotate_at_venue`; `line` asks the venue with the new key."""
    venue = str(line.gateway.venue)
    rights = await checked_at_venue(roles.trader, line)
    say(f"{venue} says of {key.name}: it is of the account that is traded on")
    sealed = seal_venue_key(venue, key, password)
    # The file is there before the key signs: no crash leaves a key that signs and is lost.
    aside = path.with_name(f"{path.name}.new")
    write_secret_file(aside, sealed, what=f"new key of {venue}")
    try:
        await _audit(roles.ledger, venue, key)
        request = RotateVenueKey(
            venue=venue, sealed=sealed.decode(), password=password.decode(), rights=rights
        )
        await _taken(roles.signer, request, key.name)
    except _UnknownError as error:
        raise TransientError(
            f"nobody knows whether {key.name} signs for {venue} now ({error}): /wallets says it; if"
            f" it does, move {aside} to {path}, and remove {aside} if it does not"
        ) from error
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    aside.replace(path)
    sync_folder(path.parent)
    say(f"{key.name} signs for {venue} from now on; it is in {path}")
    say(
        f"what the key before it signed leaves within ten seconds: delete that one at {venue} after"
        " a minute; where the user stream was opened with it, it is opened anew by itself"
    )
    say(f"with real money: make exchange-test VENUE={venue} before anybody goes live the next time")


def line_with(key: VenueKey, gateway: Gateway, wire: Wire, limiter: Limiter) -> Line:
    """Return a line to a venue that asks with a key that this process has."""
    auth, last = authentication_of(gateway.venue, key), 0

    async def sign(intent: VenueIntent) -> VenueSigned:
        nonlocal last
        now_ms, signed = time.time_ns() // NS_PER_MS, []
        for call in calls_of(intent.ask, gateway):
            # Numbers are the time, as the signer's: its own, which come later, are above them.
            last = max(last + 1, now_ms)
            signed.append(auth.sign(call, now_ms=now_ms, nonce=last))
        return VenueSigned(calls=tuple(signed), signed_at_ms=now_ms)

    return Line(
        gateway,
        wire,
        sign,
        engine="",
        limiter=limiter,
        order_limiter=limiter,
        now_ms=elapsed_ms,
    )


async def checked_at_venue(trader: Caller, line: Line) -> KeyRights:
    """Return what the venue says that the new key may do, once it is seen whose account it opens.

    Raises:
        SettingsError: the venue does not answer with it, or shows another account.
        TransientError: the trader does not run, or cannot say what is held there.
    """
    venue = line.gateway.venue
    try:
        rights = await read_rights(line)
        since_ms = time.time_ns() // NS_PER_MS
        shown = await read_account(line, [], since_ms, fenced=lambda _began_ms: None)
    except UnreadError as error:
        raise SettingsError(
            f"{venue} does not answer with the new key, so that it is not used: {error}"
        ) from error
    seen = (await trader.call(SeeVenues())).seen
    held = next((one.held for one in seen if one.venue == venue), None)
    if held is None:
        raise TransientError(
            f"the trader cannot say what is held at {venue} now, so that nobody knows whether the"
            " new key is of the same account: try again"
        )
    if why := why_another_account(held, shown.balances):
        raise SettingsError(f"the new key of {venue} is not used: {why}")
    return rights


def why_another_account(held: Sequence[HeldAtVenue], shown: Sequence[BalanceShown]) -> str:
    """Say why what a key shows is not the account in which this is held; empty if it is."""
    ours = {str(one.asset): exact_sum((one.free, one.held)) for one in held}
    its = {str(one.asset): one.total for one in shown}
    ours, its = _without_nothing(ours), _without_nothing(its)
    if not ours:
        return "nothing is held there by which the account would be known"
    others = sorted(one for one in ours.keys() | its.keys() if ours.get(one) != its.get(one))
    if not others:
        return ""
    return (
        f"it shows another account, as of {', '.join(others[:4])} there is not what we have; if"
        " something was just traded, try again"
    )


def _without_nothing(totals: dict[str, Decimal]) -> dict[str, Decimal]:
    return {asset: total for asset, total in totals.items() if total}


class _UnknownError(Exception):
    """The signer did not say what it did."""


async def _taken(signer: Caller, request: RotateVenueKey, name: str) -> None:
    try:
        report = await signer.call(request, timeout_s=WAIT_S)
    except TransientError as error:
        try:
            report = await signer.call(GetWallets())
        except TransientError:
            raise _UnknownError(str(error)) from error
        if not any(one.name == request.venue and one.key == name for one in report.venues):
            raise _UnknownError(str(error)) from error


async def _audit(ledger: Caller, venue: str, key: VenueKey) -> None:
    at_ns = time.time_ns()
    record = KeyActRecord(
        record_id=f"key-{venue}-{at_ns}",
        at_ns=at_ns,
        by="whoever has the password, on this machine",
        venue=venue,
        action=f"asked that the key {key.name} sign for {venue}",
    )
    try:
        await ledger.call(Append(records=[record]))
    except (TransientError, BadValueError) as error:
        raise TransientError(
            f"nothing was changed, as it cannot be written into the audit: {error}"
        ) from error
