"""What joins an engine with whoever moves money: transactions on chains, orders at venues."""

from asyncio import TaskGroup
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from engine.bus.request import Caller
from engine.operate.clock import Clock
from engine.operate.clock_watch import ClockWatch
from engine.operate.engine_answers import EngineAnswers
from engine.operate.hot_path import HotPath
from engine.settings.schema import Settings
from engine.wiring.live_sending import LiveSending, open_live_sending
from engine.wiring.live_trading import LiveTrading, open_live_trading
from engine.wiring.mixed_terms import why_mixed_shut
from engine.wiring.outside import open_outside
from engine.wiring.paths import Paths


@contextmanager
def open_live(settings: Settings, paths: Paths, ledger: Caller, now_ns: Clock) -> Iterator["Live"]:
    """Join with both, each where it is on, until the block ends.

    Raises:
        FatalError: the lease of the wallet, or of the accounts, cannot be used.
    """
    with (
        open_live_sending(settings, paths, ledger, now_ns) as sending,
        open_live_trading(settings, paths, ledger, now_ns) as trading,
    ):
        yield Live(sending=sending, trading=trading, mixed_shut=why_mixed_shut(settings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Both ways.

    Attributes:
        mixed_shut: why no plan goes both ways; empty if some do.
    """

    sending: LiveSending
    trading: LiveTrading
    mixed_shut: str

    def why_not(self) -> str:
        """Say what is missing for the mode live; empty if nothing is."""
        return self.trading.of_another or self.sending.why_not()

    def join(self, answers: EngineAnswers, hot_path: HotPath, watch: ClockWatch) -> None:
        """Let the mode live be had where it can be, and news become inputs."""
        self.sending.join(answers, hot_path, watch)
        self.trading.join(hot_path, watch)
        answers.why_not_live = self.why_not
        answers.trader = self.trading.trader_role
        answers.look_outside = partial(
            open_outside, trader=self.trading.trader_role, sender=self.sending.sender_role
        )

    async def run(self) -> None:
        """Hand over and listen until cancelled."""
        async with TaskGroup() as tasks:
            tasks.create_task(self.sending.run())
            tasks.create_task(self.trading.run())
