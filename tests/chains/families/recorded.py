"""Runs on a node of contracts that no package has compiled: what it said at each step."""

import lzma
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec

from engine.chains.ports import BlockRef, Call, Log, Reader
from engine.domain.pools import Pool
from tests.chains.families.following import Stage, head_of, reader_of
from tests.chains.local_world import LocalWorld

FOLDER = Path(__file__).parents[2] / "data" / "chains" / "families"


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What a node says that a swap gives, nothing if it cannot be; amounts as text, being wide."""

    pool: int
    token_in: int
    token_out: int
    amount_raw: str
    said_raw: str | None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A block: the events since the step before, what a reading asks and hears, and quotes."""

    at: BlockRef
    logs: list[Log]
    answers: list[tuple[Call, bytes | None]]
    quotes: list[Quote]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Pools as they were named at first, and the steps."""

    pools: list[Pool]
    steps: list[Step]


class Recorder:
    """Reads, and remembers what it was told."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.answers: dict[Call, bytes | None] = {}

    async def call(self, calls: Sequence[Call], at: BlockRef) -> list[bytes | None]:
        answers = await self._reader.call(calls, at)
        self.answers.update(zip(calls, answers, strict=True))
        return answers

    async def logs(
        self, first: int, last: int, *, topics: Sequence[bytes], addresses: Sequence[str] = ()
    ) -> list[Log]:
        return await self._reader.logs(first, last, topics=topics, addresses=addresses)


class Replayed:
    """A reader that says what was said at one step."""

    def __init__(self, step: Step) -> None:
        self._at, self._answers = step.at, dict(step.answers)

    async def call(self, calls: Sequence[Call], at: BlockRef) -> list[bytes | None]:
        assert at == self._at
        return [self._answers[call] for call in calls]

    async def logs(
        self, first: int, last: int, *, topics: Sequence[bytes], addresses: Sequence[str] = ()
    ) -> list[Log]:
        raise NotImplementedError


async def record(world: LocalWorld, stage: Stage, *, seed: int, steps: int, acts: int) -> Run:
    """Do random things to a stage's pools, and write down what the node says."""
    random = Random(seed)
    done: list[Step] = []
    pools = list(stage.pools)
    async with reader_of(world) as reader:
        for number in range(steps + 1):
            for _ in range(acts if number else 0):
                stage.act(random)
            at = head_of(world)
            logs = (
                await reader.logs(
                    done[-1].at.number + 1, at.number, topics=sorted(stage.family.topics)
                )
                if done
                else []
            )
            recorder = Recorder(reader)
            await stage.family.read(pools, recorder, at)
            await stage.family.terms(pools, recorder, at)
            quotes = [_quote(stage, random) for _ in range(acts)]
            answers = list(recorder.answers.items())
            done.append(Step(at=at, logs=logs, answers=answers, quotes=quotes))
    return Run(pools=pools, steps=done)


def load(name: str) -> Run:
    packed = (FOLDER / f"{name}.json.xz").read_bytes()
    return msgspec.json.decode(lzma.decompress(packed), type=Run)


def save(name: str, run: Run) -> None:
    packed = lzma.compress(msgspec.json.encode(run), preset=9 | lzma.PRESET_EXTREME)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json.xz").write_bytes(packed)


def _quote(stage: Stage, random: Random) -> Quote:
    index = random.randrange(len(stage.pools))
    pool = stage.pools[index]
    token_in, token_out = random.sample(range(len(pool.tokens)), 2)
    amount_raw = stage.size(pool, token_in, random)
    said = stage.quote(pool, amount_raw, token_in=token_in, token_out=token_out)
    return Quote(
        pool=index,
        token_in=token_in,
        token_out=token_out,
        amount_raw=str(amount_raw),
        said_raw=None if said is None else str(said),
    )
