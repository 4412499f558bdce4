"""The role `signer`: the only process that holds keys, behind a socket of this user.

It answers on its socket of this machine alone, whatever carries the bus otherwise.
"""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import engine
from engine.bus.lease import Lease, held_lease
from engine.bus.request import Reply, Request
from engine.bus.signing import (
    CapLine,
    Heard,
    LookUpLetRun,
    SignedChain,
    TakeBackWords,
    WalletsReport,
)
from engine.bus.unix_socket import open_server
from engine.bus.venue_signing import VenueReply
from engine.domain.chains import NATIVE_ASSETS
from engine.domain.engines import check_engine_id
from engine.domain.errors import BadValueError, FatalError
from engine.domain.modes import Mode
from engine.domain.signing import RefusalKind, Signed, SigningIntent, SignRefusal
from engine.domain.units import NATIVE_DECIMALS
from engine.domain.words import SealedWord
from engine.gateways.venue_signing import VenueIntent
from engine.operate.clock import Clock, make_clock
from engine.operate.kill_latch import EngineLatches
from engine.operate.lifeline import stop_signals
from engine.operate.loaded import keep_what_is_loaded
from engine.operate.mode_word import ModeWord
from engine.operate.role_words import announce_ready
from engine.requests.request_list import requests_of
from engine.settings.schema import Settings
from engine.signing.caps import DailyCaps, boot_id
from engine.signing.desk import USD_CAP, SigningDesk, caps_of, count_cap, gas_cap, usd_of_micro
from engine.signing.guards import Guard, Needs, guard_calls, guard_memory
from engine.signing.journal import Journal
from engine.signing.rules import refused
from engine.signing.words import Words
from engine.wiring.markets import basis_of
from engine.wiring.paths import Paths
from engine.wiring.signer_gates import SignerGates
from engine.wiring.signer_keys import KeyPlace, key_place
from engine.wiring.signing_terms import signing_terms
from engine.wiring.wallet_leases import WalletLeases
from engine.wiring.word_key import word_key

log = logging.getLogger(__name__)

LEASE_LOOK_S: Final = 0.5
JOURNAL: Final = "journal.sqlite3"

SIGNLESS: Final = frozenset({Mode.OBSERVE, Mode.PAPER})
"""Modes in which nothing is signed that carries a plan out."""

ASKING: Final = frozenset({Mode.APPROVE})
"""Modes in which each plan has a permit."""

ENGINES_MAX: Final = 64

_SYSTEM: Final = ("/usr", "/lib", "/lib64", "/etc", "/dev", "/proc")


async def run_signer(settings: Settings, paths: Paths) -> None:
    """Sign as a process of its own until told to stop.

    Raises:
        SettingsError: signing is off, or what it needs cannot be used.
        FatalError: the journal cannot be used: what was signed is not known.
    """
    terms = signing_terms(settings)
    guards = guard_memory()
    broken: list[FatalError] = []
    async with stop_signals(ignores_interrupt=True) as stop:

        def on_fatal(error: FatalError) -> None:
            broken.append(error)
            stop.set()

        with held_lease(paths.lease("signer"), what="signer") as lease:
            journal = Journal(paths.signer / JOURNAL)
            place = key_place(settings, paths)
            wallets = WalletLeases(terms)
            try:
                wallets.prepare()
                wallets.take(place.address)
                clock = make_clock()
                caps = DailyCaps(journal, caps_of(terms), boot=boot_id(), now_ns=clock())
                words = Words(
                    key=word_key(os.environ),
                    journal=journal,
                    since_ns=clock(),
                    two_people_usd=settings.approvals.two_operators_usd or None,
                )
                gates = SignerGates(
                    terms,
                    paths,
                    settings.operator.totp_secret,
                    wallet=lambda: place.address,
                    clock=clock,
                )
                words.why_not_live = gates.why_not_live
                words.why_not_let_run = gates.why_not_let_run
                leave = Leave(paths, lease, words)
                desk = SigningDesk(
                    terms=terms,
                    journal=journal,
                    caps=caps,
                    leave=leave,
                    clock=clock,
                    words=words,
                    missing=gates.missing,
                )
                # Before anything starts a thread, which would keep rights that are given up here.
                guards += guard_calls(needs_of(paths, place, wallets))
                desk.wallet = await place.opened()
                wallets.take(place.address)
                _say(guards, place, is_locked=desk.wallet is None)
                answers = SignerAnswers(settings, desk, place, guards, clock, wallets=wallets)
                async with (
                    open_server(
                        paths.socket("signer"), requests_of("signer"), answers, on_fatal=on_fatal
                    ),
                    asyncio.TaskGroup() as tasks,
                ):
                    keeping = tasks.create_task(_keep(lease, wallets))
                    keep_what_is_loaded()
                    announce_ready()
                    await stop.wait()
                    keeping.cancel()
            finally:
                await place.aclose()
                journal.close()
                wallets.close()
    if broken:
        raise broken[0]


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


class Leave:
    """Whether an engine may have something signed now: by both latches, its mode, and our lease."""

    def __init__(self, paths: Paths, lease: Lease, words: Words) -> None:
        self._paths = paths
        self._lease = lease
        self._words = words
        self._files: dict[str, tuple[EngineLatches, ModeWord]] = {}
        words.latched_ns = words.let_runs.latched_ns = self.latched_ns
        words.void_ns = self.void_ns

    def __call__(self, intent: SigningIntent) -> SignRefusal | None:
        """Say why not; None if it may.

        Raises:
            SupersededError: another process is the signer now.
        """
        self._lease.check()
        if intent.purpose.is_protective:
            return None
        try:
            latches, word = self._files_of(intent.engine)
        except BadValueError as error:
            return refused(RefusalKind.MODE, str(error))
        if latches.is_killed():
            return refused(RefusalKind.KILLED, f"killed: {latches.why()}")
        if not intent.purpose.has_plan:
            # What lets the contract run again trades nothing itself: a latch stops it, no mode.
            return None
        mode = word.read()
        if mode is Mode.LIVE:
            why = self._words.why_not_gone_live(intent.engine, changed_ns(word.path))
            return refused(RefusalKind.MODE, why) if why else None
        self._words.left_live(intent.engine)
        return self._of_mode(intent, mode)

    def latched_ns(self, engine: str) -> int:
        """Return when a latch of an engine was set or cleared last."""
        latches, _ = self._files_of(engine)
        return max(changed_ns(latches.of_all.path), changed_ns(latches.own.path))

    def void_ns(self, engine: str) -> int:
        """Return when that, or its mode, changed last: what was said before is void."""
        _, word = self._files_of(engine)
        return max(self.latched_ns(engine), changed_ns(word.path))

    def _files_of(self, engine: str) -> tuple[EngineLatches, ModeWord]:
        """Return an engine's files.

        Raises:
            BadValueError: it has no such name, or too many engines ask.
        """
        if engine not in self._files:
            if len(self._files) >= ENGINES_MAX:
                raise BadValueError(f"more than {ENGINES_MAX} engines ask")
            own = self._paths.of(check_engine_id(engine))
            self._files[engine] = (own.latches(), ModeWord(own.engines / own.engine_id))
        return self._files[engine]

    @staticmethod
    def _of_mode(intent: SigningIntent, mode: Mode | None) -> SignRefusal | None:
        if mode is None:
            return refused(RefusalKind.MODE, f"the engine {intent.engine} says no mode")
        if mode in SIGNLESS:
            return refused(RefusalKind.MODE, f"the mode is {mode}: nothing is signed")
        if mode in ASKING and (intent.plan is None or intent.plan.permit is None):
            return refused(RefusalKind.MODE, f"the mode is {mode}, and nobody permitted the plan")
        return None


def changed_ns(path: Path) -> int:
    """Return when a file was last put in its place or written: no user can set that back.

    One that is missing changed just now, as nothing can be said of it.
    """
    try:
        return path.stat().st_ctime_ns
    except OSError:
        return time.time_ns()


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
    ) -> None:
        self._wallets = wallets
        self._settings = settings
        self._desk = desk
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

    async def sign_calls(self, intent: VenueIntent) -> VenueReply:
        """See `bus.venue_signing.VenueSigner`."""
        return refused(RefusalKind.VENUE, f"nothing is signed for {intent.venue[:40]!r} here")

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
        )

    async def unlock(self, password: str) -> WalletsReport:
        """See `bus.signing.Signer`."""
        if self._desk.wallet is not None:
            raise BadValueError("the key is open already")
        try:
            wallet = await self._place.unlock(password.encode())
            self._wallets.take(wallet.address)
        except FatalError as error:
            raise BadValueError(str(error)) from None
        self._desk.wallet = wallet
        log.info("the key of %s is open", self._place.address)
        return self.wallets()

    def hear(self, word: SealedWord) -> Heard:
        """See `bus.signing.Signer`."""
        self._desk.words.hear(word, self._clock())
        return Heard()

    def take_back(self, asked: TakeBackWords) -> Heard:
        """See `bus.signing.Signer`."""
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


def _say(guards: Sequence[Guard], place: KeyPlace, *, is_locked: bool) -> None:
    for guard in guards:
        log.log(logging.INFO if guard.is_up else logging.WARNING, "%s", guard)
    how = "locked: python -m engine keys unlock opens it" if is_locked else "open"
    log.info("signs for %s, key in a %s, %s", place.address, place.kind, how)


async def _keep(lease: Lease, wallets: WalletLeases) -> None:
    """Look whether this still is the one; raises `SupersededError` if not."""
    while True:
        await asyncio.sleep(LEASE_LOOK_S)
        lease.check()
        wallets.check()
