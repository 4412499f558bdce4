"""Random transactions of every kind of router, with limits that hold and limits that do not."""

import random
from typing import Any, Final, NamedTuple

from eth_abi.abi import encode

from engine.sandbox.world.abi import ZERO
from tests.chains.pending.deployed import FOR_EVER, Deployed
from tests.chains.pending.samples import (
    ROUTER_AS_RECIPIENT,
    call,
    packed,
    packed_swap,
    pair_swap,
    plan,
    universal,
    v4_path_2_1,
    v4_single,
)

SENDER_AS_RECIPIENT: Final = "0x" + "0" * 39 + "1"
ALL_HELD: Final = 1 << 255
_HALF: Final = 5_000
_ONE_E18: Final = 10**18


class Sent(NamedTuple):
    """A transaction to send."""

    to: str
    data: bytes
    value_raw: int = 0


class Maker:
    """Makes transactions of one account."""

    def __init__(self, there: Deployed, me: str, rng: random.Random) -> None:
        self.there, self.me, self.rng = there, me, rng
        decimals = {one.address: one.decimals for one in there.world.made.tokens}
        usd = {there.weth: 2_685, there.wbtc: 61_838}
        self._one_usd = {
            token: 10**places // usd.get(token, 1) for token, places in decimals.items()
        }
        self._one_usd[ZERO] = self._one_usd[there.weth]

    def make(self) -> Sent:
        """Make one of any kind."""
        kinds = [name for name in dir(self) if name.startswith("send_")]
        sent: Sent = getattr(self, self.rng.choice(kinds))()
        return sent

    def amount(self, token: str) -> int:
        """Return some of a token: from single units to a good part of any pool, seldom too much."""
        usd = self.rng.choice([0.001, 5, 800, 20_000, 400_000, 3_000_000, 30_000_000])
        return max(int(usd * self.rng.uniform(0.1, 1) * self._one_usd[token]), 1)

    def least(self, token: str) -> int:
        """Return a least output that mostly holds."""
        return self.rng.choice([0, 0, 0, 1, self.amount(token)])

    def most(self, token: str) -> int:
        """Return a greatest input that mostly holds, and that the sender has."""
        return self.rng.choice([10**25, 10**25, 10**25, self.amount(token)])

    def deadline(self) -> int:
        return self.rng.choice([FOR_EVER, FOR_EVER, FOR_EVER, FOR_EVER, 1_600_000_000])

    def pair_path(self) -> list[str]:
        there = self.there
        path = self.rng.choice(
            [
                [there.usdc, there.weth],
                [there.usdt, there.weth, there.usdc],
                [there.dai, there.usdc, there.weth, there.wbtc],
                [there.weth, there.usdc, there.weth],
            ]
        )
        return path if self.rng.random() < 0.5 else path[::-1]

    def pool_path(self) -> list[str | int]:
        there = self.there
        path: list[str | int] = self.rng.choice(
            [
                [there.usdc, 500, there.weth],
                [there.usdt, 3_000, there.weth, 3_000, there.usdc],
                [there.dai, 500, there.usdc, 100, there.usdt, 3_000, there.weth],
                [there.usdc, 500, there.weth, 3_000, there.wbtc],
                [there.weth, 500, there.usdc, 500, there.weth],
            ]
        )
        return path if self.rng.random() < 0.5 else path[::-1]

    def send_pairs(self) -> Sent:
        path = self.pair_path()
        taxed = self.rng.choice(["", "SupportingFeeOnTransferTokens"])
        if self.rng.random() < 0.5:
            signature = (
                f"swapExactTokensForTokens{taxed}(uint256,uint256,address[],address,uint256)"
            )
            amounts = self.amount(path[0]), self.least(path[-1])
        else:
            signature = "swapTokensForExactTokens(uint256,uint256,address[],address,uint256)"
            amounts = self.amount(path[-1]), self.most(path[0])
        data = call(signature, *amounts, path, self.me, self.deadline())
        return Sent(self.there.v2_router, data)

    def send_fork_pair(self) -> Sent:
        """Swap in a fork of V2 with another fee, by the fork's own router."""
        there = self.there
        router, path = self.rng.choice(
            [
                (there.fork_routers[0], [there.weth, there.usdt]),
                (there.fork_routers[1], [there.weth, there.usdc, there.usdt]),
            ]
        )
        signature = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
        amounts = self.amount(path[0]), self.least(path[-1])
        return Sent(router, call(signature, *amounts, path, self.me, self.deadline()))

    def send_native_to_pairs(self) -> Sent:
        there = self.there
        path = self.rng.choice([[there.weth, there.usdc], [there.weth, there.usdc, there.dai]])
        value_raw = min(self.amount(there.weth), 10**24)
        if self.rng.random() < 0.5:
            signature = "swapExactETHForTokens(uint256,address[],address,uint256)"
            amount_raw = self.least(path[-1])
        else:
            signature = "swapETHForExactTokens(uint256,address[],address,uint256)"
            amount_raw = self.amount(path[-1])
        data = call(signature, amount_raw, path, self.me, self.deadline())
        return Sent(there.v2_router, data, value_raw)

    def send_pairs_for_native(self) -> Sent:
        there = self.there
        path = self.rng.choice([[there.usdc, there.weth], [there.dai, there.usdc, there.weth]])
        if self.rng.random() < 0.5:
            signature = "swapExactTokensForETH(uint256,uint256,address[],address,uint256)"
            amounts = self.amount(path[0]), self.least(path[-1])
        else:
            signature = "swapTokensForExactETH(uint256,uint256,address[],address,uint256)"
            amounts = self.amount(path[-1]), self.most(path[0])
        return Sent(there.v2_router, call(signature, *amounts, path, self.me, self.deadline()))

    def send_one_pool(self) -> Sent:
        token_in, fee, token_out = self.pool_path()[:3]
        assert isinstance(token_in, str)
        assert isinstance(token_out, str)
        limit_x96 = self.rng.choice([0, 0, 0, self._limit(token_in, token_out)])
        is_first = self.rng.random() < 0.5
        deadline = [self.deadline()] if is_first else []
        if self.rng.random() < 0.5:
            name, amounts = "exactInput", (self.amount(token_in), self.least(token_out))
        else:
            name, amounts = "exactOutput", (self.amount(token_out), self.most(token_in))
        more = "uint256," * len(deadline)
        data = call(
            f"{name}Single((address,address,uint24,address,{more}uint256,uint256,uint160))",
            (token_in, token_out, fee, self.me, *deadline, *amounts, limit_x96),
        )
        return Sent(self.there.v3_router if is_first else self.there.router_02, data)

    def send_path(self) -> Sent:
        is_first = self.rng.random() < 0.5
        path = self.pool_path()
        deadline = [self.deadline()] if is_first else []
        name, amounts, path_bytes = self._path_amounts(path)
        more = "uint256," * len(deadline)
        data = call(
            f"{name}((bytes,address,{more}uint256,uint256))",
            (path_bytes, self.me, *deadline, *amounts),
        )
        return Sent(self.there.v3_router if is_first else self.there.router_02, data)

    def send_pairs_by_router_02(self) -> Sent:
        path = self.pair_path()
        if self.rng.random() < 0.5:
            name, amounts = "swapExactTokensForTokens", (self.amount(path[0]), self.least(path[-1]))
        else:
            name, amounts = "swapTokensForExactTokens", (self.amount(path[-1]), self.most(path[0]))
        data = call(
            f"{name}(uint256,uint256,address[],address)", *amounts, path, SENDER_AS_RECIPIENT
        )
        return Sent(self.there.router_02, data)

    def send_calls_in_one(self) -> Sent:
        """Through a pool to the router, all of that through a pair, and native coins at last."""
        there = self.there
        first = call(
            "exactInput((bytes,address,uint256,uint256))",
            (
                packed(there.usdt, 3_000, there.weth, 500, there.usdc),
                ROUTER_AS_RECIPIENT,
                self.amount(there.usdt),
                0,
            ),
        )
        then = call(
            "swapExactTokensForTokens(uint256,uint256,address[],address)",
            *(0, 0, [there.usdc, there.weth], ROUTER_AS_RECIPIENT),
        )
        last = call("unwrapWETH9(uint256,address)", self.least(there.weth), self.me)
        data = call("multicall(uint256,bytes[])", self.deadline(), [first, then, last])
        return Sent(there.router_02, data)

    def send_universal_pools(self) -> Sent:
        path = self.pool_path()
        name, amounts, path_bytes = self._path_amounts(path)
        text = packed_swap(SENDER_AS_RECIPIENT, *amounts, path_bytes)
        command = 0x00 if name == "exactInput" else 0x01
        return Sent(self.there.universal, universal((command, text), deadline_s=self.deadline()))

    def send_universal_pairs(self) -> Sent:
        path = self.pair_path()
        if self.rng.random() < 0.5:
            command, amounts = 0x08, (self.amount(path[0]), self.least(path[-1]))
        else:
            command, amounts = 0x09, (self.amount(path[-1]), self.most(path[0]))
        text = pair_swap(SENDER_AS_RECIPIENT, *amounts, path)
        return Sent(self.there.universal, universal((command, text)))

    def send_universal_mix(self) -> Sent:
        """Wrap, through a pool into a pair that is paid so, a share as a fee, the rest swept."""
        there = self.there
        value_raw = min(self.amount(there.weth), 10**24)
        pair = self._pair(there.usdc, there.weth)
        commands = [
            (0x0B, encode(["address", "uint256"], [ROUTER_AS_RECIPIENT, ALL_HELD])),
            (
                0x00,
                packed_swap(pair, ALL_HELD, 0, packed(there.weth, 500, there.usdc), is_user=False),
            ),
            (0x08, pair_swap(ROUTER_AS_RECIPIENT, 0, 0, [there.usdc, there.weth], is_user=False)),
            (
                0x06,
                encode(
                    ["address", "address", "uint256"],
                    [there.weth, there.usdt, self.rng.randint(0, 99)],
                ),
            ),
            (0x0C, encode(["address", "uint256"], [SENDER_AS_RECIPIENT, self.least(there.weth)])),
        ]
        return Sent(there.universal, universal(*commands), value_raw)

    def send_sub_plans(self) -> Sent:
        """Two plans within the plan, the first of which may fail and often does."""
        there = self.there
        fails = packed_swap(
            SENDER_AS_RECIPIENT,
            self.amount(there.usdc),
            self.rng.choice([0, 10**30]),
            packed(there.usdc, 500, there.weth),
        )
        before = pair_swap(
            SENDER_AS_RECIPIENT, self.amount(there.weth), 0, [there.weth, there.usdc]
        )
        holds = packed_swap(
            SENDER_AS_RECIPIENT,
            self.amount(there.usdc),
            0,
            packed(there.usdc, 3_000, there.weth),
        )
        return Sent(
            there.universal,
            universal((0x80 | 0x21, plan((0x08, before), (0x00, fails))), (0x00, holds)),
        )

    def send_v4_single(self) -> Sent:
        key = self.rng.choice(list(self.there.keys.values()))
        is_zero_in = self.rng.random() < 0.5
        token_in, token_out = key[:2] if is_zero_in else (key[1], key[0])
        is_exact_in = self.rng.random() < 0.5
        if is_exact_in:
            action, amounts = 0x06, (self.amount(token_in), self.least(token_out))
        else:
            action, amounts = 0x08, (self.amount(token_out), self.most(token_in))
        amount, limit = (min(one, 2**128 - 1) for one in amounts)
        swap = v4_single(key, is_zero_in=is_zero_in, amount=amount, limit=limit)
        return self._v4((action, swap), token_in, token_out)

    def send_v4_path(self) -> Sent:
        there = self.there
        to_usdc, to_usdt = (3_000, 60, ZERO, b""), (100, 1, ZERO, b"")
        if self.rng.random() < 0.5:
            swap = v4_path_2_1(
                there.wbtc,
                [(there.usdc, *to_usdc), (there.usdt, *to_usdt)],
                amount=self.amount(there.wbtc),
                limit=self.least(there.usdt),
            )
            return self._v4((0x07, swap), there.wbtc, there.usdt)
        swap = v4_path_2_1(
            there.usdt,
            [(there.wbtc, *to_usdc), (there.usdc, *to_usdt)],
            amount=self.amount(there.usdt),
            limit=self.most(there.wbtc),
        )
        return self._v4((0x09, swap), there.wbtc, there.usdt)

    def _v4(self, swap: tuple[int, bytes], token_in: str, token_out: str) -> Sent:
        settle = (0x0C, encode(["address", "uint256"], [token_in, self.most(token_in)]))
        take = (0x0F, encode(["address", "uint256"], [token_out, self.least(token_out)]))
        if self.rng.random() < 0.3:
            settle = (0x0B, encode(["address", "uint256", "bool"], [token_in, 0, True]))
            types = ["address", "address", "uint256"]
            take = (0x0E, encode(types, [token_out, SENDER_AS_RECIPIENT, 0]))
        closing = [settle, take] if self.rng.random() < 0.8 else [settle]  # or owed for ever
        value_raw = 10**25 if token_in == ZERO else 0
        # What is not spent of native coins stays with the router unless it is swept.
        sweep = encode(["address", "address", "uint256"], [ZERO, SENDER_AS_RECIPIENT, 0])
        return Sent(
            self.there.universal,
            universal((0x10, plan(swap, *closing)), (0x04, sweep)),
            value_raw,
        )

    def _path_amounts(self, path: list[str | int]) -> tuple[str, tuple[int, int], bytes]:
        token_in, token_out = path[0], path[-1]
        assert isinstance(token_in, str)
        assert isinstance(token_out, str)
        if self.rng.random() < 0.5:
            return (
                "exactInput",
                (self.amount(token_in), self.least(token_out)),
                packed(*path),
            )
        return "exactOutput", (self.amount(token_out), self.most(token_in)), packed(*path[::-1])

    def _limit(self, token_in: str, token_out: str) -> int:
        """Return a price limit around where pools are, not always on the right side."""
        raw = self._one_usd[max(token_in, token_out)] / self._one_usd[min(token_in, token_out)]
        return int((raw * self.rng.uniform(0.9, 1.1)) ** 0.5 * 2**96)

    def _pair(self, one: str, other: str) -> str:
        return next(
            pool.address
            for pool in self.there.pools
            if pool.protocol == "uniswap_v2" and {one, other} == set(pool.token_addresses)
        )


def as_transaction(sent: Sent, sender: str, **more: Any) -> dict[str, Any]:
    """Return what a node is asked to send."""
    return {
        "from": sender,
        "to": sent.to,
        "data": "0x" + sent.data.hex(),
        "value": hex(sent.value_raw),
        "gas": hex(16_000_000),
        **more,
    }
