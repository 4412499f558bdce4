"""Traders killed at system calls, again while they recover, and while they recover from that."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from tests.sending.crashes.kills import KillTally
from tests.sending.crashes.tracing import run_and_kill, run_to_the_end
from tests.trading.killed.life import Life, live, load_all, orders_of, venues_of
from tests.trading.killed.venues import Control

CHANGING_SHARE: Final = 0.7
"""So many kills are at calls that leave something behind: there are fewer of them."""

STOPS: Final = {True: (900, 350), False: (4_000, 2_000)}
"""About so many stops a first life and a later one have, of those calls alone and of all; with
books a first life has no fewer."""

LATE: Final = 0.6
"""A third of a first life is the making of its files: kills are rather later than that."""

AWAY_MS_MAX: Final = 20_000
"""So long at most nobody lives after a kill."""


def kill_while_placing(control: Control, folder: Path, seed: int, tally: KillTally) -> None:
    """Place a few orders in a life that is killed up to three times, then to the end; check all.

    Raises:
        AssertionError: something is as it may never be.
    """
    _try(control, folder, seed, tally, has_books=False)


def kill_while_booking(control: Control, folder: Path, seed: int, tally: KillTally) -> None:
    """Do the same with engine and ledger, which live and are killed with trader and signer."""
    _try(control, folder, seed, tally, has_books=True)


def _try(control: Control, folder: Path, seed: int, tally: KillTally, *, has_books: bool) -> None:
    load_all(has_books=has_books)
    luck = Random(seed)
    files = folder / str(seed) / "files"
    files.mkdir(parents=True)
    control.begin(venues_of(seed))
    trouble = luck.choice((0.0, 0.1, 0.4))
    for depth in range(4):
        now_ms, _ = control.seen()
        life = Life(
            folder=files,
            address=control.address,
            seed=seed,
            number=depth,
            begins_ms=now_ms + (luck.randint(0, AWAY_MS_MAX) if depth else 0),
            trouble=trouble,
            has_books=has_books,
        )
        if has_books and not depth:
            run_to_the_end(partial(live, replace(life, is_opening=True, trouble=0.0)))
            life = replace(life, begins_ms=control.seen()[0])
        if depth == 3:
            run_to_the_end(partial(live, life))
            break
        only_changing = luck.random() < CHANGING_SHARE
        stops, share = STOPS[only_changing][depth > 0], luck.random()
        at = 1 + int(stops * (share if depth else share**LATE))
        killed = run_and_kill(partial(live, life), at, only_changing=only_changing)
        if not killed.call:
            break
        tally.kills[killed.call, killed.is_done] += 1
        tally.depths[depth] += 1
        _, handed_at_ms = control.seen()
        control.check(files, orders_of(seed, handed_at_ms) if handed_at_ms else (), is_over=False)
    orders = orders_of(seed, control.seen()[1])
    control.check(files, orders, is_over=True)
    tally.trials += 1
    tally.plans += len(orders) // 2
    shutil.rmtree(files.parent)
