"""Requests: what one role asks another. Each says what its reply is, who answers it, and how.

A new one is a class in a file of `engine/requests` and a line in its `request_list.py`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Protocol,
    Self,
    TypeVar,
    get_args,
    runtime_checkable,
)

import msgspec

from engine.bus.reports import Declined

if TYPE_CHECKING:
    from engine.bus.witness import Witness

Reply = TypeVar("Reply")
Reply_co = TypeVar("Reply_co", covariant=True)


class Request(msgspec.Struct, Generic[Reply_co], tag=True, frozen=True, kw_only=True):
    """What is asked, as it travels.

    Attributes:
        role: who answers.
        timeout_s: longest wait for the reply.
        is_for_any: a process that lost its place as the one engine answers too.
    """

    role: ClassVar[str]
    timeout_s: ClassVar[float] = 5.0
    is_for_any: ClassVar[bool] = False

    @classmethod
    def reply_type(cls) -> Any:
        """Return what it is answered with: what stands in the brackets of its base."""
        for base in vars(cls)["__orig_bases__"]:
            for asked in get_args(base):
                return asked
        raise TypeError(f"{cls.__name__} does not say what it is answered with")

    async def answer(self, role: Any, /) -> Reply_co:
        """Answer it, in the process of the role."""
        raise NotImplementedError

    async def ask(self, roles: "Roles", /) -> Reply_co:
        """Have it answered, in the process of whoever asks."""
        caller: Caller = getattr(roles, self.role)
        return await caller.call(self, timeout_s=self.timeout_s)


class EngineRequest(Request[Reply_co], Generic[Reply_co], frozen=True, kw_only=True):
    """A request that the engine answers; `answer` is given its `EngineAnswers`."""

    role = "engine"


class LedgerRequest(Request[Reply_co], Generic[Reply_co], frozen=True, kw_only=True):
    """A request that the ledger answers; `answer` is given its `Ledger`."""

    role = "ledger"
    timeout_s = 30.0


class ChainsRequest(Request[Reply_co], Generic[Reply_co], frozen=True, kw_only=True):
    """A request that the role `chains` answers; `answer` is given its `Chains`.

    That role may be several processes, with a chain each.
    """

    role = "chains"

    def of_chain(self) -> str:
        """Return the one chain that this is about, empty if it is about all of them."""
        return ""

    def of_part(self) -> Self:
        """Return what each of several processes is asked."""
        return self

    def merged(self, replies: Any, away: Mapping[str, str], /) -> Reply_co:
        """Return what several processes say together.

        Args:
            replies: of those that answered, one at least.
            away: chains whose processes did not, and why.
        """
        raise NotImplementedError


class WorkersRequest(Request[Reply_co], Generic[Reply_co], frozen=True, kw_only=True):
    """A request that the role `workers` answers; `answer` is given its `Work`."""

    role = "workers"


class SignerRequest(Request[Reply_co], Generic[Reply_co], frozen=True, kw_only=True):
    """A request that the signer answers, on its socket of this machine and nowhere else."""

    role = "signer"


class SenderRequest(Request[Reply_co], Generic[Reply_co], frozen=True, kw_only=True):
    """A request that whoever sends transactions answers; `answer` is given its `Sending`."""

    role = "sender"


class TraderRequest(Request[Reply_co], Generic[Reply_co], frozen=True, kw_only=True):
    """A request that whoever places orders at venues answers; `answer` is given its `Trading`."""

    role = "trader"


class Answerer(Protocol):
    """A role's side of the wire."""

    async def answer(self, request: Request[Reply], /) -> Reply:
        """Answer one request.

        Raises:
            TransientError: that is not possible now.
            BadValueError: this request is never possible.
            FatalError: the role has to end.
        """
        ...


class Caller(Protocol):
    """A client's side of the wire."""

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        """Send a request and wait for its reply.

        Raises:
            TransientError: the role is away or did not answer in time.
            BadValueError: the role refused this request; asking again changes nothing.
        """
        ...


@runtime_checkable
class AsksNow(Protocol):
    """A caller that can send within the turn of the loop, which others end with."""

    def ask_now(
        self, request: Request[Reply], /, *, timeout_s: float = 5.0
    ) -> Callable[[], Awaitable[Reply]] | None:
        """Send a request before this returns, and return what waits for its reply.

        Whoever does something long afterwards has it answered meanwhile. What is returned raises as
        `Caller.call` does; whoever wants no reply does not call it.

        Returns:
            None where it was not sent: there is no connection, or something is being sent on it.
        """
        ...


class Roles(Protocol):
    """What a front-end asks."""

    @property
    def engine(self) -> Caller:
        """The engine."""
        ...

    async def engine_named(self, name: str, /) -> Caller | Declined:
        """Return another engine by its name, or why there is none."""
        ...

    async def engines(self) -> Mapping[str, Caller]:
        """Return all engines by their names, the own one too."""
        ...

    @property
    def ledger(self) -> Caller:
        """The ledger."""
        ...

    @property
    def chains(self) -> Caller:
        """The role that follows chains; away where none is followed."""
        ...

    @property
    def workers(self) -> Caller:
        """The role that works in the background; away where none does."""
        ...

    @property
    def signer(self) -> Caller:
        """The role that signs; away where nothing is signed."""
        ...

    @property
    def sender(self) -> Caller:
        """The role that sends transactions; away where none are sent."""
        ...

    @property
    def trader(self) -> Caller:
        """The role that places orders at venues; away where none are placed."""
        ...

    @property
    def witness(self) -> "Witness":
        """Who tells the signer what persons say."""
        ...

    async def kill(self, command: Any, /) -> Any:
        """Kill by every path at once, see `facade.killing`."""
        ...
