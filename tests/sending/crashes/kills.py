"""Senders killed at system calls, again while they recover, and while they recover from that."""

import shutil
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from tests.sending.crashes.lives import live
from tests.sending.crashes.served import Control
from tests.sending.crashes.tracing import run_and_kill, run_to_the_end
from tests.sending.crashes.world import TABLE, wallet

PLANS_MAX: Final = 2
CHANGING_SHARE: Final = 0.7
"""So many kills are at calls that leave something behind: there are fewer of them."""

STOPS: Final = (600, 250)
"""About so many stops a life has, of all calls and of those, until most of it is done."""


@dataclass
class KillTally:
    """What was tried: kills by system call, undone and done."""

    trials: int = 0
    plans: int = 0
    kills: Counter[tuple[str, bool]] = field(default_factory=Counter)
    depths: Counter[int] = field(default_factory=Counter)

    def join(self, other: "KillTally") -> None:
        self.trials += other.trials
        self.plans += other.plans
        self.kills.update(other.kills)
        self.depths.update(other.depths)


def try_kills(control: Control, folder: Path, seed: int, tally: KillTally) -> None:
    """Send a few plans with a life killed up to three times, then to the end; check all rules.

    Raises:
        AssertionError: a rule is broken.
    """
    luck = Random(seed)
    here = folder / str(seed)
    (here / "killed").mkdir(parents=True)
    handed = control.begin(here, seed, plans=luck.randint(1, PLANS_MAX))
    body = partial(live, here / "killed" / TABLE, control.url, control.socket, wallet(), handed)
    for depth in range(3):
        only_changing = luck.random() < CHANGING_SHARE
        at = 1 + int(STOPS[only_changing] * luck.random() ** 1.5)
        killed = run_and_kill(body, at, only_changing=only_changing)
        if not killed.call:
            break
        tally.kills[killed.call, killed.is_done] += 1
        tally.depths[depth] += 1
        control.check(is_over=False)
    else:
        run_to_the_end(body)
    control.check(is_over=True)
    tally.trials += 1
    tally.plans += len(handed)
    shutil.rmtree(here)
