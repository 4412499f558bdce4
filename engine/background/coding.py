"""States, outcomes and what runs are given, as bytes and back, each as nothing but what it is."""

from typing import Any, Final, TypeVar

import msgspec
import numpy as np

from engine.background.ports import Given, Outcome, Task, Want
from engine.background.sealed import Sealed
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis

T = TypeVar("T")


class NoSuchValueError(BadValueError):
    """A task gave something else than it says that it gives."""


class DiscardedError(BadValueError):
    """What was kept cannot be used by the task of now."""


def _plain(value: object) -> object:
    """Take numbers out of numpy's types: a task reckons with them and forgets."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a {type(value).__name__} cannot be kept")


_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=_plain)


def encode_checked(value: object, *, type_: Any, what: str) -> bytes:
    """Encode a value which can be read again as its type.

    Raises:
        NoSuchValueError: it cannot.
    """
    try:
        content = _ENCODER.encode(value)
        msgspec.msgpack.decode(content, type=type_)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise NoSuchValueError(f"the {what} is none: {error}") from error
    return content


def outcome_type(task: Task[Any]) -> Any:
    """Return the type of what a task's runs end with."""
    return Outcome[task.state]  # type: ignore[name-defined]  # known at run time only


def state_of(task: Task[Any], sealed: Sealed, *, what: str) -> Any:
    """Return a state that was kept, of this version or turned into one.

    Raises:
        DiscardedError: it is of a version that cannot be read, or not what it should be.
    """
    name = f"{what} of {task.name}"
    if sealed.version > task.version:
        raise DiscardedError(
            f"the {name} is of version {sealed.version}, newer than {task.version}: not used"
        )
    if sealed.version < task.version and task.upgrade is None:
        raise DiscardedError(f"the {name} is of version {sealed.version}: not used")
    try:
        if sealed.version == task.version or task.upgrade is None:
            return msgspec.msgpack.decode(sealed.content, type=task.state | None)
        plain = msgspec.msgpack.decode(sealed.content)
        state = None if plain is None else task.upgrade(sealed.version, plain)
        if state is not None:
            encode_checked(state, type_=task.state, what=name)
    except Exception as error:  # an upgrade may fail in any way; the state is of no use then
        raise DiscardedError(
            f"the {name}, of version {sealed.version}, cannot be read ({error}): not used"
        ) from error
    return state


class GivenKept(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was given, as it is kept.

    Attributes:
        seed: as text, for it may be of any size.
        wants: each with its type, in the task's order.
        answers: of each; None for what was not to be had.
        learned: sequence of what the run began with as learned.
    """

    at_ns: int
    basis: Basis
    seed: str
    wants: list[tuple[str, bytes]]
    answers: list[bytes | None]
    learned: int

    @classmethod
    def of(cls, task: Task[Any], given: Given, *, learned: int) -> "GivenKept":
        """Return what is to be kept."""
        return cls(
            at_ns=given.at_ns,
            basis=given.basis,
            seed=str(given.seed),
            wants=_names(task),
            answers=[_answer(given, want) for want in task.wants],
            learned=learned,
        )

    def restore(self, task: Task[Any]) -> Given:
        """Return what the run was given.

        Raises:
            DiscardedError: the task of now wants something else.
        """
        if self.wants != _names(task) or len(self.answers) != len(task.wants):
            raise DiscardedError(f"{task.name} wants something else now: its run begins anew")
        try:
            answers = {
                want: msgspec.msgpack.decode(one, type=want.answer_type)
                for want, one in zip(task.wants, self.answers, strict=True)
                if one is not None
            }
            seed = int(self.seed)
        except (msgspec.MsgspecError, ValueError) as error:
            raise DiscardedError(
                f"what {task.name} was given cannot be read ({error}): its run begins anew"
            ) from error
        return Given(at_ns=self.at_ns, basis=self.basis, seed=seed, answers=answers)


def _names(task: Task[Any]) -> list[tuple[str, bytes]]:
    return [(type(want).__qualname__, _ENCODER.encode(want)) for want in task.wants]


def _answer(given: Given, want: Want[Any]) -> bytes | None:
    try:
        answer = given.of(want)
    except BadValueError:
        return None
    return encode_checked(answer, type_=want.answer_type, what=f"answer to {want}")


def decode_as(content: bytes | memoryview, type_: type[T], *, what: str) -> T:
    """Decode what a program of now wrote.

    Raises:
        DiscardedError: it is something else.
    """
    try:
        return msgspec.msgpack.decode(content, type=type_)
    except msgspec.MsgspecError as error:
        raise DiscardedError(f"the {what} cannot be read: {error}") from error
