"""What joins an engine with the role that sends, where transactions may be sent at all."""

from collections.abc import Callable
from functools import partial

from engine.bus.request import Caller
from engine.bus.unix_socket import SocketCaller
from engine.core.inputs.transaction_told import TransactionTold
from engine.domain.told import WalletSeen
from engine.execute.plan_executor import NO_SENDER, Sender
from engine.operate.clock import Clock
from engine.operate.clock_watch import ClockWatch
from engine.operate.engine_answers import EngineAnswers
from engine.operate.handing import Handing
from engine.operate.hot_path import HotPath
from engine.settings.schema import Settings
from engine.wiring.going_live import may_sign, why_not_live
from engine.wiring.paths import Paths


class LiveSending:
    """The way to whoever sends, and back.

    Attributes:
        sender: what an executor hands plans to.
    """

    def __init__(self, settings: Settings, paths: Paths, ledger: Caller, now_ns: Clock) -> None:
        self._why_not = partial(why_not_live, settings, paths)
        self._now_ns = now_ns
        self._handing: Handing | None = None
        self.sender_role: Caller | None = None
        if may_sign(settings):
            caller = SocketCaller(paths.socket("sender"), role="sender")
            self._handing = Handing(caller, ledger, engine=settings.engine.id, now_ns=now_ns)
            self.sender_role = caller
        self.sender: Sender = self._handing or NO_SENDER

    def join(self, answers: EngineAnswers, hot_path: HotPath, watch: ClockWatch) -> None:
        """Let the mode live be had where it can be, and news become inputs."""
        answers.why_not_live = self._why_not
        if self._handing is not None:
            self._handing.take = told_to(hot_path, watch, self._now_ns)
            self._handing.see = told_to(hot_path, watch, self._now_ns)
            self._handing.knows = hot_path.knows_transaction
            answers.sender = self.sender_role

    async def run(self) -> None:
        """Hand over and listen until cancelled."""
        if self._handing is not None:
            await self._handing.run()


def told_to(
    hot_path: HotPath, watch: ClockWatch, clock: Clock
) -> Callable[[TransactionTold | WalletSeen], None]:
    """Return what makes an input of what is told of a transaction, or of what is ours."""

    def tell(told: TransactionTold | WalletSeen) -> None:
        at_ns = clock()
        if at_ns >= watch.late_at_ns:
            at_ns = watch.read()
        hot_path.command(told, at_ns)

    return tell
