"""Plans sent while nodes, chain and signer do what they may, and the sender ends at boundaries.

A play is decided by its seed. First it is played undisturbed, which counts its boundaries; then
once for each of them, with the next life ended during its recovery, and the one after it again.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.domain.errors import TransientError
from engine.domain.handed import Handed
from engine.domain.told import Fate
from engine.wiring.sender_answers import NOT_COME, SenderAnswers
from tests.sending.crashes.rules import check_end, check_known, check_once
from tests.sending.crashes.weather import Weather
from tests.sending.crashes.world import CrashWorld, EndedError, Fuse, run

STEPS_MAX: Final = 150
RECOVERY_POINTS: Final = 9
"""About so many boundaries a recovery has until it waits for blocks."""

RAM: Final = Path("/dev/shm")


@dataclass
class Given:
    """A plan of a play, and how far the engine is with it."""

    due: int
    seconds: int
    asks_first: bool
    handed: Handed | None = None
    is_asked: bool = False
    is_taken: bool = False

    @property
    def name(self) -> str:
        return "" if self.handed is None else self.handed.client_order_id


@dataclass
class Play:
    """One play in a world; `crashes` are where its lives ended, first to last."""

    world: CrashWorld
    crashes: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    fates: list[str] = field(default_factory=list)
    steps: int = 0

    def __post_init__(self) -> None:
        luck = self.world.luck
        self.plans = [
            Given(luck.randrange(4), luck.choice((2, 4, 8, 30)), luck.random() < 0.1)
            for _ in range(luck.choice((1, 1, 2, 2, 3)))
        ]
        self.weather = Weather(self.world, luck)

    def run(self, ends: Sequence[int]) -> None:
        """Play with a life ended at each of these boundaries, then to the end; check all rules."""
        for at in (*ends, 0):
            fuse = Fuse(at, self.world.snapshot)
            try:
                run(self._life(fuse))
            except EndedError as ended:
                self.crashes.append(str(ended))
                self.world.again()
                check_known(self.world)
                self._look_after()
            else:
                break
            finally:
                self.seen += fuse.seen
        check_end(self.world, [one.handed for one in self.plans if one.handed is not None])
        told = [self.world.table.told.of(one.name) for one in self.plans]
        self.fates = [one.news.fate.value for one in told if one is not None]

    async def _life(self, fuse: Fuse) -> None:
        answers, desk = SenderAnswers(self.world.table), self.world.desk(fuse)
        while not self._is_done():
            self.steps += 1
            assert self.steps < STEPS_MAX, "it does not end"
            for one in self.plans:
                if one.due < self.steps and not one.is_taken:
                    self._hand_over(one, answers, fuse)
            # Whatever a node says when it is asked, it told of each block as it was made.
            desk.hear(self.world.chain.head.hash)
            try:
                await desk.begin_at_once()
                await desk.step()
            except TransientError as error:
                self.world.warnings.append(str(error))
            check_once(self.world)
            self.weather.go_on()

    def _hand_over(self, one: Given, answers: SenderAnswers, fuse: Fuse) -> None:
        if one.handed is None:
            one.handed = self.world.handed(self.plans.index(one), seconds=one.seconds)
        if one.asks_first and not one.is_asked:
            fuse("before fencing")
            self.world.table.fence(one.name, NOT_COME)
            fuse("fenced")
            answers.ask_after(one.name)
            fuse("asked after")
            one.is_asked = True
        fuse("before handing over")
        answers.take_on(one.handed)
        fuse("handed over")
        one.is_taken = True

    def _look_after(self) -> None:
        """Let an engine that starts anew, too, ask after what it had no answer to."""
        if self.world.luck.random() < 0.2:
            for one in self.plans:
                one.asks_first |= not one.is_taken

    def _is_done(self) -> bool:
        table = self.world.table
        if not all(one.is_taken for one in self.plans) or table.open_lives():
            return False
        told = [table.told.of(one.name) for one in self.plans]
        return all(one is not None and one.news.fate is not Fate.UNDONE for one in told)


@dataclass
class Tally:
    """What was tried."""

    plays: int = 0
    plans: int = 0
    crashes: Counter[str] = field(default_factory=Counter)
    depths: Counter[int] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)

    def add(self, play: Play) -> None:
        self.plays += 1
        self.plans += len(play.plans)
        self.crashes.update(play.crashes)
        self.depths.update(range(len(play.crashes)))
        self.fates.update(play.fates)

    def join(self, other: "Tally") -> None:
        self.plays += other.plays
        self.plans += other.plans
        for mine, theirs in (
            (self.crashes, other.crashes),
            (self.depths, other.depths),
            (self.fates, other.fates),
        ):
            mine.update(theirs)  # type: ignore[arg-type]


def played(seed: int, ends: Sequence[int]) -> Play:
    """Play once; what breaks a rule says by which call it is seen again.

    Raises:
        AssertionError: a rule is broken.
    """
    folder = Path(tempfile.mkdtemp(prefix="crash", dir=RAM if RAM.is_dir() else None))
    world = CrashWorld(folder, seed)
    try:
        play = Play(world)
        play.run(ends)
    except Exception as error:
        raise AssertionError(f"played({seed}, {tuple(ends)}): {error}") from error
    else:
        return play
    finally:
        world.close()
        shutil.rmtree(folder, ignore_errors=True)


def endings(seed: int, boundaries: int) -> Iterator[tuple[int, int, int]]:
    """Return for each boundary of a play where it, its recovery and the next recovery end."""
    for first in range(1, boundaries + 1):
        second = 1 + (first + seed) % RECOVERY_POINTS
        third = 1 + (first // RECOVERY_POINTS + seed) % RECOVERY_POINTS
        yield first, second, third
