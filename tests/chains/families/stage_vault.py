"""Pools of Balancer V2 in a vault: swapped, joined, left, and asked another fee at random."""

import json
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

from engine.chains.families.balancer import contract_of
from engine.chains.families.family_list import FAMILY_OF
from engine.domain.pools import Pool, Protocol
from engine.sandbox.world.abi import UINT_MAX, ZERO, encode
from engine.sandbox.world.packages import PACKAGES
from engine.sandbox.world.rpc import NodeSaidNoError
from engine.sandbox.world.site import FOR_EVER
from engine.sandbox.world.values import WorldToken
from tests.chains.families.actor import TOKENS, Actor, pool_of

TASKS = "@balancer-labs/v2-deployments/dist/tasks"
ONE = 10**18
FEE = 3 * 10**15

JOIN = "joinPool(bytes32,address,address,(address[],uint256[],bytes,bool))"
EXIT = "exitPool(bytes32,address,address,(address[],uint256[],bytes,bool))"
FUNDS = "(address,bool,address,bool)"
SWAP = f"swap((bytes32,uint8,address,address,uint256,bytes),{FUNDS},uint256,uint256)"
QUERY = f"queryBatchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],{FUNDS})"

STABLE_OF_2021 = "(address,string,string,address[],uint256,uint256,uint256,uint256,address)"
WEIGHTED_OF_2021 = "(address,string,string,address[],uint256[],uint256,uint256,uint256,address)"
WEIGHTED_OF_2022 = (
    "((string,string,address[],uint256[],address[],address[],uint256),address,address,uint256,"
    "uint256,address)"
)
COMPOSABLE = (
    "((address,address,string,string,address[],address[],uint256[],bool[],uint256,uint256,uint256,"
    "uint256,address))"
)


class VaultStage:
    """See `following.Stage`.

    Attributes:
        shares: by pool: whether its own share is among its tokens in the vault.
    """

    def __init__(self, actor: Actor, protocol: Protocol) -> None:
        self.actor, self.hands, self.protocol = actor, actor.hands, protocol
        me = self.hands.me
        authorizer = actor.deploy(code("20210418-authorizer", "Authorizer"), "(address)", me)
        self.vault = actor.deploy(
            code("20210418-vault", "Vault"),
            "(address,address,uint256,uint256)",
            *(authorizer, actor.world.made.contracts["wrapped"], 0, 0),
        )
        self.fees = actor.deploy(
            code("20220725-protocol-fee-percentages-provider", "ProtocolFeePercentagesProvider"),
            "(address,uint256,uint256)",
            *(self.vault, ONE, ONE),
        )
        self.family = FAMILY_OF[protocol](frozenset((self.vault,)))
        self.pools: list[Pool] = []
        self.shares: dict[str, bool] = {}
        self._take_fees(authorizer)
        for symbol in TOKENS:
            token = actor.token(symbol).address
            self.hands.send(token, "approve(address,uint256)", self.vault, UINT_MAX)
        self.hands.flush()

    def _take_fees(self, authorizer: str) -> None:
        """Let the protocol take half of the fees, which changes what a join leaves."""
        read, send = self.hands.read, self.hands.send
        collector = read(self.vault, "getProtocolFeesCollector()", ("address",))
        selector = encode("(bytes4)", bytes.fromhex("38e9922e"))[:4]
        action = read(collector, "getActionId(bytes4)", ("bytes32",), selector)
        send(authorizer, "grantRole(bytes32,address)", action, self.hands.me)
        send(collector, "setSwapFeePercentage(uint256)", ONE // 2)
        self.hands.flush()

    def weighted(self, symbols: Sequence[str], weights: Sequence[int], *, is_late: bool) -> None:
        """Make a weighted pool of 2022, or one of 2021."""
        tokens = self.actor.in_order(*symbols)
        addresses = [one.address for one in tokens]
        if is_late:
            none = [ZERO] * len(tokens)
            terms = ("W", "W", addresses, weights, none, none, FEE)
            address = self.actor.deploy(
                code("20220908-weighted-pool-v2", "WeightedPool"),
                WEIGHTED_OF_2022,
                *(terms, self.vault, self.fees, 0, 0, self.hands.me),
            )
        else:
            address = self.actor.deploy(
                code("20210418-weighted-pool", "WeightedPool"),
                WEIGHTED_OF_2021,
                *(self.vault, "W", "W", addresses, weights, FEE, 0, 0, self.hands.me),
            )
        self._add(address, tokens)

    def stable(self, symbols: Sequence[str], amp: int) -> None:
        """Make a stable pool of 2021."""
        tokens = self.actor.in_order(*symbols)
        addresses = [one.address for one in tokens]
        address = self.actor.deploy(
            code("deprecated/20210624-stable-pool", "StablePool"),
            STABLE_OF_2021,
            *(self.vault, "S", "S", addresses, amp, FEE, 0, 0, self.hands.me),
        )
        self._add(address, tokens)

    def composable(self, symbols: Sequence[str], amp: int, *, provider: str = ZERO) -> None:
        """Make a composable stable pool; the provider says the rate of its first token."""
        tokens = self.actor.in_order(*symbols)
        count = len(tokens)
        terms = (
            *(self.vault, self.fees, "C", "C", [one.address for one in tokens]),
            *([provider] + [ZERO] * (count - 1), [1_000] + [0] * (count - 1), [False] * count),
            *(amp, FEE, 0, 0, self.hands.me),
        )
        address = self.actor.deploy(
            code("20220906-composable-stable-pool", "ComposableStablePool"), COMPOSABLE, terms
        )
        self._add(address, tokens, has_share=True)

    def _add(
        self, address: str, tokens: tuple[WorldToken, ...], *, has_share: bool = False
    ) -> None:
        number = self.hands.read(address, "getPoolId()", ("bytes32",))
        pool = pool_of(self.protocol, "0x" + number.hex(), tokens, Decimal(FEE) / ONE)
        self.pools.append(pool)
        self.shares[pool.address] = has_share
        amounts = [10 ** (one.decimals + 6) for one in tokens]
        if has_share:
            amounts.insert(self._held(pool).index(address), 2**110)
        assert self._join(pool, encode("(uint256,uint256[])", 0, amounts))

    def act(self, random: Random) -> None:
        pool = random.choice(self.pools)
        random.choice(
            (self._swap, self._swap, self._swap_share, self._give, self._take, self._ask_fee)
        )(pool, random)

    def quote(self, pool: Pool, amount_raw: int, *, token_in: int, token_out: int) -> int | None:
        asked = [(self._number(pool), token_in, token_out, amount_raw, b"")]
        try:
            said = self.hands.read(
                self.vault,
                QUERY,
                ("int256[]",),
                *(0, asked, list(pool.token_addresses), self._funds()),
            )
        except NodeSaidNoError:
            return None
        return -int(said[token_out])

    def size(self, pool: Pool, token: int, random: Random) -> int:
        """Return an amount; much more leads to where a stable pool of 2021 reverts for ever."""
        return random.randrange(1, 10 ** (pool.tokens[token][1] + random.choice((-3, 2, 4, 5))))

    def _swap(self, pool: Pool, random: Random) -> None:
        tokens = random.sample(pool.token_addresses, 2)
        token_in = pool.token_addresses.index(tokens[0])
        self._swapped(pool, tokens, self.size(pool, token_in, random))

    def _swap_share(self, pool: Pool, random: Random) -> None:
        """Swap with the pool's own share, which is how a composable one is joined by one token."""
        if not self.shares[pool.address]:
            self._swap(pool, random)
            return
        token = random.randrange(len(pool.tokens))
        tokens = [pool.token_addresses[token], contract_of(pool)]
        amount = self.size(pool, token, random)
        if random.random() < 0.5:
            tokens, amount = tokens[::-1], self._held_share(pool) // random.randrange(50, 5_000)
        self._swapped(pool, tokens, amount)

    def _give(self, pool: Pool, random: Random) -> None:
        amounts = [self.size(pool, index, random) for index in range(len(pool.tokens))]
        self._join(pool, encode("(uint256,uint256[],uint256)", 1, amounts, 0))

    def _take(self, pool: Pool, random: Random) -> None:
        share = self._held_share(pool) // random.randrange(50, 5_000)
        token = random.randrange(len(pool.tokens))
        self._exit(pool, encode("(uint256,uint256,uint256)", 0, share, token))

    def _ask_fee(self, pool: Pool, random: Random) -> None:
        fee = random.choice((10**15, 3 * 10**16, 123_456_789_012_345))
        self.actor.do_as_me(contract_of(pool), "setSwapFeePercentage(uint256)", fee)

    def _swapped(self, pool: Pool, tokens: Sequence[str], amount: int) -> None:
        single = (self._number(pool), 0, *tokens, amount, b"")
        self.actor.do_as_me(self.vault, SWAP, single, self._funds(), 0, FOR_EVER)

    def _join(self, pool: Pool, wanted: bytes) -> bool:
        held = self._held(pool)
        terms = (held, [UINT_MAX] * len(held), wanted, False)
        me = self.hands.me
        return self.actor.do_as_me(self.vault, JOIN, self._number(pool), me, me, terms)

    def _exit(self, pool: Pool, wanted: bytes) -> bool:
        held = self._held(pool)
        terms = (held, [0] * len(held), wanted, False)
        me = self.hands.me
        return self.actor.do_as_me(self.vault, EXIT, self._number(pool), me, me, terms)

    def _held(self, pool: Pool) -> list[str]:
        found: Any = self.hands.read(
            self.vault,
            "getPoolTokens(bytes32)",
            ("address[]", "uint256[]", "uint256"),
            self._number(pool),
        )
        return list(found[0])

    def _held_share(self, pool: Pool) -> int:
        found: int = self.hands.read(
            contract_of(pool), "balanceOf(address)", ("uint256",), self.hands.me
        )
        return found

    def _funds(self) -> tuple[str, bool, str, bool]:
        return self.hands.me, False, self.hands.me, False

    def _number(self, pool: Pool) -> bytes:
        return bytes.fromhex(pool.address[2:])


def code(task: str, name: str) -> str:
    """Return what deploys a contract, as it was deployed on Ethereum."""
    path = PACKAGES / TASKS / task / "bytecode" / f"{name}.json"
    found: str = json.loads(path.read_bytes())["creationCode"]
    return found
