"""Whether an engine may have something signed now: by files that are read anew each time."""

import os
import time
from pathlib import Path
from typing import Final

from engine.bus.lease import Lease
from engine.domain.engines import check_engine_id
from engine.domain.errors import BadValueError
from engine.domain.modes import Mode
from engine.domain.orders import Purpose as OrderPurpose
from engine.domain.signing import RefusalKind, SigningIntent, SignRefusal
from engine.gateways.venue_signing import VenueIntent
from engine.operate.kill_latch import EngineLatches
from engine.operate.mode_word import ModeWord
from engine.signing.rules import refused
from engine.signing.words import Words
from engine.wiring.paths import Paths

SIGNLESS: Final = frozenset({Mode.OBSERVE, Mode.PAPER})
"""Modes in which nothing is signed that carries a plan out."""

ASKING: Final = frozenset({Mode.APPROVE})
"""Modes in which each plan has a permit."""

ENGINES_MAX: Final = 64


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
        """Say why a transaction may not be signed; None if it may.

        Raises:
            SupersededError: another process is the signer now.
        """
        self._lease.check()
        if intent.purpose.is_protective:
            return None
        # What lets the contract run again trades nothing itself: a latch stops it, no mode.
        is_permitted = intent.plan is not None and intent.plan.permit is not None
        return self._why_not(
            intent.engine, has_plan=intent.purpose.has_plan, is_permitted=is_permitted
        )

    def of_order(self, intent: VenueIntent) -> SignRefusal | None:
        """Say why an order may not be signed; None if it may.

        What trades back only takes away what was signed before, whatever the mode is by then; an
        order of a self-test comes before anybody goes live. Both are stopped by a latch.

        Raises:
            SupersededError: another process is the signer now.
        """
        self._lease.check()
        is_leg = intent.purpose is OrderPurpose.LEG and not intent.is_test
        is_permitted = intent.plan is not None and intent.plan.permit is not None
        return self._why_not(intent.engine, has_plan=is_leg, is_permitted=is_permitted)

    def of_withdrawal(self, engine: str) -> SignRefusal | None:
        """Say why nothing is withdrawn for an engine now; None if it may be.

        It trades nothing, so that a latch stops it and no mode.

        Raises:
            SupersededError: another process is the signer now.
        """
        self._lease.check()
        return self._why_not(engine, has_plan=False, is_permitted=False)

    def _why_not(self, engine: str, *, has_plan: bool, is_permitted: bool) -> SignRefusal | None:
        try:
            latches, word = self._files_of(engine)
        except BadValueError as error:
            return refused(RefusalKind.MODE, str(error))
        if latches.is_killed():
            return refused(RefusalKind.KILLED, f"killed: {latches.why()}")
        if not has_plan:
            return None
        mode = word.read()
        if mode is Mode.LIVE:
            why = self._words.why_not_gone_live(engine, changed_ns(word.path))
            return refused(RefusalKind.MODE, why) if why else None
        self._words.left_live(engine)
        return _of_mode(engine, mode, is_permitted=is_permitted)

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


def _of_mode(engine: str, mode: Mode | None, *, is_permitted: bool) -> SignRefusal | None:
    if mode is None:
        return refused(RefusalKind.MODE, f"the engine {engine} says no mode")
    if mode in SIGNLESS:
        return refused(RefusalKind.MODE, f"the mode is {mode}: nothing is signed")
    if mode in ASKING and not is_permitted:
        return refused(RefusalKind.MODE, f"the mode is {mode}, and nobody permitted the plan")
    return None


def changed_ns(path: Path) -> int:
    """Return when a file was last put in its place or written: no user can set that back.

    One that is missing changed just now, as nothing can be said of it.
    """
    try:
        return os.stat(path).st_ctime_ns  # noqa: PTH116 - asked three times for each signature
    except OSError:
        return time.time_ns()
