"""The role `signer`: the only process that holds keys, behind a socket of this user.

It answers on its socket of this machine alone, whatever carries the bus otherwise.
"""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import engine
from engine.bus.lease import Lease, held_lease
from engine.bus.unix_socket import open_server
from engine.operate.clock import make_clock
from engine.operate.running_role import running_role
from engine.operate.short_slice import ask_for_short_slices
from engine.requests.request_list import requests_of
from engine.settings.schema import Settings
from engine.signing.caps import DailyCaps, boot_id
from engine.signing.desk import SigningDesk, caps_of
from engine.signing.guards import Guard, Needs, guard_calls, guard_memory
from engine.signing.journal import Journal
from engine.signing.password_pace import PasswordPace
from engine.signing.venue_caps import venue_caps
from engine.signing.venue_checked import checked_venues
from engine.signing.venue_desk import VenueDesk
from engine.signing.withdraw_desk import WithdrawDesk
from engine.signing.withdraw_terms import withdraw_caps
from engine.signing.words import Words
from engine.wiring.exchange_terms import exchange_terms
from engine.wiring.paths import Paths
from engine.wiring.signer_answers import SignerAnswers
from engine.wiring.signer_gates import SignerGates
from engine.wiring.signer_keys import KeyPlace, NoPlace, key_place
from engine.wiring.signer_leave import Leave
from engine.wiring.signer_venues import (
    open_desk,
    open_to_withdraw,
    open_withdrawals,
    trading_keys,
    withdraw_keys,
)
from engine.wiring.signing_roles import trades_at_exchanges
from engine.wiring.signing_terms import signing_terms, terms_of_no_chain
from engine.wiring.venue_rotation import VenueRotation
from engine.wiring.wallet_leases import WalletLeases
from engine.wiring.withdraw_terms import withdraw_terms
from engine.wiring.word_key import word_key

log = logging.getLogger(__name__)

LEASE_LOOK_S: Final = 0.5
JOURNAL: Final = "journal.sqlite3"

_LOCKED: Final = "locked: python -m engine keys unlock opens it"
_SYSTEM: Final = ("/usr", "/lib", "/lib64", "/etc", "/dev", "/proc")


async def run_signer(settings: Settings, paths: Paths) -> None:
    """Sign as a process of its own until told to stop.

    Raises:
        SettingsError: nothing is to be signed, or what it needs cannot be used.
        FatalError: the journal cannot be used: what was signed is not known.
    """
    exchange, withdrawal = exchange_terms(settings), withdraw_terms(settings)
    is_for_chains = settings.signer.signs != "off" or not trades_at_exchanges(settings)
    terms = signing_terms(settings) if is_for_chains else terms_of_no_chain(exchange)
    guards = guard_memory()
    async with running_role() as role:
        if refused := ask_for_short_slices():
            log.info("slices of processor time are the system's: %s", refused)
        with held_lease(paths.lease("signer"), what="signer") as lease:
            journal = Journal(paths.signer / JOURNAL)
            place = key_place(settings, paths) if is_for_chains else NoPlace()
            wallets = WalletLeases(terms)
            try:
                wallets.prepare()
                wallets.take(place.address)
                venue_keys = trading_keys(settings, paths, exchange)
                keys_out = withdraw_keys(settings, paths, withdrawal)
                clock = make_clock()
                caps = DailyCaps(
                    journal,
                    caps_of(terms) | venue_caps(exchange) | withdraw_caps(withdrawal),
                    boot=boot_id(),
                    now_ns=clock(),
                )
                words = Words(
                    key=word_key(os.environ),
                    journal=journal,
                    since_ns=clock(),
                    two_people_usd=settings.approvals.two_operators_usd or None,
                )
                leave = Leave(paths, lease, words)
                venues, venue_gates = open_desk(
                    exchange,
                    paths,
                    has_code=settings.operator.totp_secret is not None,
                    journal=journal,
                    caps=caps,
                    leave=leave,
                    words=words,
                    clock=clock,
                )
                gates = SignerGates(
                    terms,
                    paths,
                    settings.operator.totp_secret,
                    wallet=lambda: place.address,
                    clock=clock,
                    venues=venue_gates,
                )
                withdrawals = open_withdrawals(
                    withdrawal,
                    venue_gates,
                    venues,
                    why_no_code=gates.why_no_transfer_code,
                    journal=journal,
                    caps=caps,
                    leave=leave,
                    words=words,
                    clock=clock,
                )
                words.why_not_live = gates.why_not_live
                words.why_not_let_run = gates.why_not_let_run
                desk = SigningDesk(
                    terms=terms,
                    journal=journal,
                    caps=caps,
                    leave=leave,
                    clock=clock,
                    words=words,
                    missing=gates.missing,
                    has_orders=venues.has_orders,
                )
                # Before anything starts a thread, which would keep rights that are given up here.
                guards += guard_calls(needs_of(paths, place, wallets))
                desk.wallet = await place.opened()
                wallets.take(place.address)
                for venue, key in venue_keys.take_open().items():
                    venues.open(venue, key)
                for venue, key in keys_out.take_open().items():
                    open_to_withdraw(withdrawals, venues, venue, key)
                _say(guards, place, is_locked=desk.wallet is None, venues=venues)
                _say_withdrawals(withdrawals)
                pace = PasswordPace(time.monotonic_ns)
                answers = SignerAnswers(
                    settings,
                    desk,
                    place,
                    guards,
                    clock,
                    wallets=wallets,
                    venues=venues,
                    venue_keys=venue_keys,
                    withdrawals=withdrawals,
                    withdraw_keys=keys_out,
                    rotation=VenueRotation(
                        venues, venue_keys, withdrawals, checked_venues(paths.signer), pace
                    ),
                    pace=pace,
                )
                async with open_server(
                    paths.socket("signer"),
                    requests_of("signer"),
                    answers,
                    on_fatal=role.on_fatal,
                ):
                    await role.until_stopped(_keep(lease, wallets, venues, journal))
            finally:
                await place.aclose()
                journal.close()
                wallets.close()


def needs_of(paths: Paths, place: KeyPlace, wallets: WalletLeases) -> Needs:
    """Return what the role still has to reach: code, the latches, its journal, its socket."""
    code = Path(engine.__file__).resolve().parent
    # Not where it was started or where the code lies: there is `.env`, with others' secrets.
    others = {Path.cwd(), code.parent}
    packages = {Path(one).resolve() for one in sys.path if one} - others
    prefixes = {Path(sys.base_prefix).resolve(), Path(sys.base_exec_prefix).resolve()}
    readable = [code, *packages, *prefixes, *map(Path, _SYSTEM), paths.data_dir]
    return Needs(
        readable=(*readable, *place.readable),
        writable=(paths.signer, paths.data_dir / "run", *place.writable, *wallets.writable),
        port=place.port,
    )


def _say(guards: Sequence[Guard], place: KeyPlace, *, is_locked: bool, venues: VenueDesk) -> None:
    for guard in guards:
        log.log(logging.INFO if guard.is_up else logging.WARNING, "%s", guard)
    if place.is_there:
        how = _LOCKED if is_locked else "open"
        log.info("signs for %s, key in a %s, %s", place.address, place.kind, how)
    for venue, name in venues.keys.items():
        log.info("signs for %s, key %s", venue, f"{name}, open" if name else _LOCKED)


def _say_withdrawals(withdrawals: WithdrawDesk) -> None:
    for venue, name in withdrawals.keys.items():
        log.info("withdraws from %s, key %s", venue, f"{name}, open" if name else _LOCKED)


async def _keep(lease: Lease, wallets: WalletLeases, venues: VenueDesk, journal: Journal) -> None:
    """Look whether this still is the one, have what is signed next wait for no disk, and tidy up.

    Raises:
        SupersededError: another process is the signer now.
    """
    while True:
        await asyncio.sleep(LEASE_LOOK_S)
        lease.check()
        wallets.check()
        venues.keep_ahead()
        journal.tidy()
