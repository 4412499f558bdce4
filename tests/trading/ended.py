"""A trader that is ended at boundaries between two of its effects, and started again."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.domain.orders_handed import HandedOrder
from tests.sending.crashes.plays import RAM
from tests.trading.orders import order_of, plan_at
from tests.trading.work_world import BURST, EndedError, World, in_virtual_time, make_world


@dataclass
class Played:
    """What a play came to.

    Attributes:
        seen: all boundaries of all lives, in order.
        wrong: what may never be, in sentences.
    """

    seen: list[str] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Fuse:
    """Ends each life at a boundary; what is dead does nothing more."""

    def __init__(self, played: Played, ends: Sequence[int]) -> None:
        self._played = played
        self._left = list(ends)
        self._count = 0
        self._is_dead = False

    def again(self) -> None:
        self._count, self._is_dead = 0, False

    def __call__(self, where: str) -> None:
        if not self._is_dead:
            self._played.seen.append(where)
            self._count += 1
            if not self._left or self._count != self._left[0]:
                return
            self._left.pop(0)
            self._played.ended[where] += 1
            self._is_dead = True
        raise EndedError(where)


def play(
    venues: Sequence[str],
    seed: int,
    *,
    trouble: float = 0.0,
    ends: Sequence[int] = (),
    is_busy: bool = False,
) -> Played:
    """Have a plan's orders handed over until they are over, in as many lives as it takes.

    With `is_busy` the lines to their venues are in use as they are handed over.
    """
    played = Played()
    fuse = Fuse(played, ends)
    orders: list[HandedOrder] = []

    async def during(world: World) -> None:
        assert world.answers is not None
        if not orders:
            await world.until(world.is_open_for_orders)
            plan = plan_at(*venues)
            orders.extend(order_of(plan, n, at_ms=world.wall_ms()) for n in range(len(venues)))
        for one in world.limiters if is_busy else ():
            one.take(BURST + 1)
        # Whoever hands over does so again as long as it was not answered.
        await world.answers.hand_over(tuple(orders))
        await world.until(lambda: world.is_over(orders))
        world.network.trouble = 0.0
        await world.until(world.is_open_for_orders)
        played.wrong += world.judge(orders) + world.differs()
        played.fates.update(str(news.fate) for one in orders if (news := world.last(one)))

    with tempfile.TemporaryDirectory(dir=RAM if RAM.is_dir() else None) as folder:
        world = make_world(Path(folder) / "orders.sqlite3", *venues, seed=seed, trouble=trouble)
        world.crash = fuse

        async def lives() -> None:
            while True:
                fuse.again()
                try:
                    return await world.live(during)
                except BaseExceptionGroup as group:
                    _, others = group.split(EndedError)
                    if others is not None:
                        raise others from None

        in_virtual_time(lives)
        played.happened = world.network.happened
        sent_twice = {name: n for name, n in world.network.creates.items() if n > 1}
        if sent_twice:
            played.wrong.append(f"made twice: {sent_twice}")
    return played
