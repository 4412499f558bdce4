"""Probes one token on the newest block: opens the door, starts the process, judges its findings."""

import asyncio
import platform
import secrets
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from engine.chains.ports import BlockRef, Json, Node, NodeError
from engine.chains.rpc.parsing import parse_address, parse_block, parse_bytes, parse_quantity
from engine.chains.safety.evm_block import Block
from engine.chains.safety.judging import Question, judge, judge_unprobed
from engine.chains.safety.probed import OWNER_SLOTS, SLOTS_READ, Job, Probed
from engine.chains.safety.state_door import open_door
from engine.domain.errors import BadValueError
from engine.domain.token_safety import Verdict

CALLS_MAX: Final = 200_000
DEADLINE_S: Final = 60.0
ANSWER_BYTES_MAX: Final = 262_144
_ROOT: Final = Path(__file__).parents[3]
_RANDOMNESS_BYTES: Final = 32


class Market(NamedTuple):
    """Where a token can be bought.

    Attributes:
        pool: that holds it: a pair's or a pool's contract, or the vault of all pools.
        counter: address of the pool's other token, one that is trusted.
    """

    pool: str
    counter: str


def has_evm() -> bool:
    """Say whether an EVM can be had here; where it cannot, no token is known."""
    return find_spec("pyrevm") is not None


class Prober:
    """Probes tokens of one chain, one at a time.

    Attributes:
        node: the chain's nodes; None before they are opened.

    Args:
        deadline_s: of one probe; a provider that is slower than that leaves the token unknown.
        turn: is held during a probe; chains that share it probe one after the other.
    """

    def __init__(
        self,
        *,
        chain: str,
        chain_id: int,
        node: Node | None = None,
        deadline_s: float = DEADLINE_S,
        turn: asyncio.Semaphore | None = None,
    ) -> None:
        self.node = node
        self._chain = chain
        self._chain_id = chain_id
        self._deadline_s = deadline_s
        self._turn = turn or asyncio.Semaphore(1)

    async def verdict(self, token: str, market: Market, *, now_s: int, is_curated: bool) -> Verdict:
        """Probe a token; whatever goes wrong leaves it unknown."""
        question = Question(
            chain=self._chain, token=token.lower(), is_curated=is_curated, now_s=now_s
        )
        if not has_evm():
            where = f"{platform.machine()} with Python {platform.python_version()}"
            return judge_unprobed(question, f"no EVM can be had for {where}")
        if (node := self.node) is None:
            return judge(question, None, why_not="its nodes are looked for")
        at: BlockRef | None = None
        try:
            async with self._turn, asyncio.timeout(self._deadline_s):
                at, block = await self._newest(node)
                probed, why = await self._probe(node, question.token, market, at, block)
        except TimeoutError:
            return judge(question, at, why_not=f"not done after {self._deadline_s:g} s")
        except (NodeError, BadValueError) as error:
            return judge(question, at, why_not=str(error)[:200])
        return judge(question, at, probed=probed, why_not=why)

    async def _newest(self, node: Node) -> tuple[BlockRef, Block]:
        header = await node.request("eth_getBlockByNumber", "latest", False)
        at = parse_block(header)
        assert isinstance(header, dict)  # parse_block refuses anything else
        return at, _next_block(header, at, self._chain_id)

    async def _probe(
        self, node: Node, token: str, market: Market, at: BlockRef, block: Block
    ) -> tuple[Probed | None, str]:
        async with open_door(node, at) as (door, url):
            await door.read_ahead(token, (*OWNER_SLOTS, *range(SLOTS_READ)))
            job = Job(
                url=url,
                block=block,
                token=token,
                pool=market.pool.lower(),
                counter=market.counter.lower(),
                seed=secrets.token_bytes(_RANDOMNESS_BYTES),
                calls_max=CALLS_MAX,
            )
            answer = await _run(msgspec.msgpack.encode(job))
            if door.why_failed:
                return None, door.why_failed
            try:
                return msgspec.msgpack.decode(answer, type=Probed), ""
            except msgspec.DecodeError:
                return None, "the process that probes came to no end"


async def _run(job: bytes) -> bytes:
    """Start the process without environment or files, and end it whatever happens."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "engine.chains.safety.worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=_ROOT,
        env={},
        limit=ANSWER_BYTES_MAX,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(job)
        process.stdin.close()
        answer = await process.stdout.read(ANSWER_BYTES_MAX)
        while len(answer) < ANSWER_BYTES_MAX and (
            more := await process.stdout.read(ANSWER_BYTES_MAX - len(answer))
        ):
            answer += more
        if len(answer) < ANSWER_BYTES_MAX:
            await process.wait()
    except ConnectionError:
        return b""
    else:
        return answer
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _next_block(header: dict[str, Json], at: BlockRef, chain_id: int) -> Block:
    """Return what a contract would read in the next block."""
    randomness = header.get("mixHash")
    number = at.number + 1
    if (beneath := header.get("l1BlockNumber")) is not None:  # what a contract on Arbitrum reads
        if isinstance(beneath, int) and beneath >= 0:  # Anvil, posing as Arbitrum
            beneath = hex(beneath)
        number = parse_quantity(beneath, "a block's number on Ethereum")
    miner = parse_address(header.get("miner"), "a block's miner")
    return Block(
        chain_id=chain_id,
        forked_at=at.number,
        number=number,
        time_s=at.made_at_s + 1,
        miner=miner,
        base_fee_wei=parse_quantity(
            header.get("baseFeePerGas", "0x0"), "a block's base fee", most=2**96
        ),
        gas_limit=parse_quantity(header.get("gasLimit"), "a block's gas limit", most=2**63),
        randomness=parse_bytes(randomness, "a block's randomness", length=_RANDOMNESS_BYTES)
        if randomness is not None
        else bytes.fromhex(at.hash[2:]),
    )
