"""What joins an engine with the role that sends, where transactions may be sent at all.

Several engines of an installation have one wallet between them. One of them sends, and has a lease
of it: two would each take the other's gas and gains for money that somebody brought or took away.
"""

from asyncio import TaskGroup
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

from engine.bus.lease import HeldByAnotherError, Lease, held_lease, keep
from engine.bus.request import Caller
from engine.bus.unix_socket import SocketCaller
from engine.execute.plan_executor import NO_SENDER, Sender
from engine.operate.clock import Clock
from engine.operate.clock_watch import ClockWatch
from engine.operate.engine_answers import EngineAnswers
from engine.operate.handing import Handing
from engine.operate.hot_path import HotPath
from engine.settings.schema import Settings
from engine.wiring.going_live import may_sign, why_not_live
from engine.wiring.mixed_terms import why_mixed_shut
from engine.wiring.paths import Paths

LEASE_LOOK_S: Final = 0.5
OF_ANOTHER: Final = (
    "the wallet is another engine's (process {process}): of several engines one sends, as each"
    " would take the other's gas for its own; stop that one, then start this one again"
)


@contextmanager
def open_live_sending(
    settings: Settings, paths: Paths, ledger: Caller, now_ns: Clock
) -> Iterator["LiveSending"]:
    """Join with the role that sends, as the one engine that does, until the block ends.

    Raises:
        FatalError: the lease of the wallet cannot be used.
    """
    with ExitStack() as stack:
        lease, holder = None, ""
        if may_sign(settings):
            try:
                lease = stack.enter_context(held_lease(paths.lease("wallet"), what="engine"))
            except HeldByAnotherError as error:
                holder = error.holder
        yield LiveSending(settings, paths, ledger, now_ns, lease=lease, holder=holder)


class LiveSending:
    """The way to whoever sends, and back.

    Args:
        lease: of the wallet; None where nothing may be sent by this engine.
        holder: process of the engine that has it in its place.

    Attributes:
        sender: what an executor hands plans to.
        may_send: whether anything may be sent by this engine at all.
        why_not: says what is missing for the mode live; empty if nothing is.
    """

    def __init__(
        self,
        settings: Settings,
        paths: Paths,
        ledger: Caller,
        now_ns: Clock,
        *,
        lease: Lease | None,
        holder: str = "",
    ) -> None:
        self.why_not: Callable[[], str] = partial(why_not_live, settings, paths)
        if holder:
            self.why_not = lambda: OF_ANOTHER.format(process=holder)
        self._now_ns = now_ns
        self._lease = lease
        self._handing: Handing | None = None
        self.sender_role: Caller | None = None
        self.may_send = lease is not None
        if lease is not None:
            caller = SocketCaller(paths.socket("sender"), role="sender")
            self._handing = Handing(
                caller,
                ledger,
                engine=settings.engine.id,
                now_ns=now_ns,
                carries_mixed=not why_mixed_shut(settings),
            )
            self.sender_role = caller
        self.sender: Sender = self._handing or NO_SENDER

    def join(self, answers: EngineAnswers, hot_path: HotPath, watch: ClockWatch) -> None:
        """Let the mode live be had where it can be, and news become inputs."""
        answers.why_not_live = self.why_not
        if self._handing is not None:
            self._handing.take_told = told_to(hot_path, watch, self._now_ns)
            self._handing.see = told_to(hot_path, watch, self._now_ns)
            self._handing.is_known = hot_path.knows_transaction
            answers.sender = self.sender_role

    async def run(self) -> None:
        """Hand over and listen until cancelled; raises `SupersededError` if the lease is lost."""
        if self._handing is not None and self._lease is not None:
            async with TaskGroup() as tasks:
                tasks.create_task(self._handing.run())
                tasks.create_task(keep(self._lease, every_s=LEASE_LOOK_S))


def told_to(hot_path: HotPath, watch: ClockWatch, clock: Clock) -> Callable[[object], None]:
    """Return what makes an input of what is told of what was sent, or of what is ours."""

    def tell(told: object) -> None:
        at_ns = clock()
        if at_ns >= watch.late_at_ns:
            at_ns = watch.read()
        hot_path.command(told, at_ns)

    return tell
