"""What calls of routers mean, told apart from what eth_abi encodes."""

import pytest
from eth_abi.abi import encode

from engine.chains.pending.calldata import UndecodableError, Why
from engine.chains.pending.decode import decode
from engine.chains.pending.intents import (
    Group,
    HiddenRoute,
    Intent,
    Pay,
    Payer,
    Quoting,
    Settle,
    Swap,
    Take,
    Unwrap,
    Wrap,
    swaps_in,
)
from tests.chains.pending import samples
from tests.chains.pending.routers_there import ETHEREUM, USDC, WBTC, WETH
from tests.chains.pending.samples import (
    DEADLINE_S,
    FRIEND,
    NATIVE,
    ONE,
    SAMPLES,
    SENDER,
    USDC_WETH_500,
    USDC_WETH_PAIR,
)
from tests.reference.create2 import keccak


def decoded(name: str) -> Intent:
    to, value_raw, text = SAMPLES[name]
    return of(to, text, value_raw)


def of(to: str, text: bytes, value_raw: int = 0) -> Intent:
    intent = decode(text, to=to, sender=SENDER, value_raw=value_raw, routers=ETHEREUM)
    assert intent is not None
    return intent


def only(intent: Intent) -> Swap:
    (swap,) = swaps_in(intent.steps)
    return swap


def test_a_route_through_pairs_names_each_of_them_and_is_quoted_ahead() -> None:
    intent = decoded("pairs, exact in")

    swap = only(intent)
    assert intent.deadline_s == DEADLINE_S
    assert [hop.tokens for hop in swap.hops] == [(WETH, USDC), (USDC, WBTC)]
    assert swap.hops[0].pool == USDC_WETH_PAIR
    assert [hop.token_in for hop in swap.hops] == [1, 1]
    assert (swap.amount_raw, swap.limit_raw, swap.recipient) == (ONE, 3_000, FRIEND)
    assert swap.quoting is Quoting.AHEAD


def test_native_coins_are_the_most_that_an_exact_output_may_cost() -> None:
    swap = only(decoded("pairs, exact out for native coins"))

    assert not swap.is_exact_in
    assert (swap.amount_raw, swap.limit_raw) == (3_000, ONE)


def test_native_coins_into_a_route_from_another_token_are_refused() -> None:
    text = samples.call(
        "swapETHForExactTokens(uint256,address[],address,uint256)",
        *(3_000, [WBTC, USDC], FRIEND, DEADLINE_S),
    )

    with pytest.raises(UndecodableError) as raised:
        of(samples.UNISWAP_ROUTER, text)

    assert raised.value.why is Why.BAD_VALUE


def test_a_pool_is_found_by_its_tokens_and_fee() -> None:
    swap = only(decoded("one pool, exact in"))

    assert swap.hops[0].pool == USDC_WETH_500
    assert swap.hops[0].token_in == 0


def test_a_path_with_an_exact_output_is_told_from_its_first_token_on() -> None:
    swap = only(decoded("path, exact out"))

    assert [hop.tokens for hop in swap.hops] == [(USDC, WETH), (WETH, WBTC)]
    assert (swap.amount_raw, swap.limit_raw) == (9, 5_000)


def test_calls_within_calls_are_told_in_their_order() -> None:
    intent = decoded("multicall within a multicall")

    swap, unwrap = intent.steps
    assert isinstance(swap, Swap)
    assert swap.recipient == samples.SWAP_ROUTER_02
    assert unwrap == Unwrap(least_raw=7, recipient=FRIEND)
    assert intent.deadline_s == DEADLINE_S


def test_a_universal_router_s_commands_are_told_in_their_order() -> None:
    intent = decoded("universal")

    wrap, pairs, sub_plan, unlock, sweep = intent.steps
    assert wrap == Wrap(amount_raw=ONE, recipient=samples.UNIVERSAL)
    assert isinstance(pairs, Swap)
    assert pairs.payer is Payer.ROUTER
    assert pairs.quoting is Quoting.STEPWISE
    assert isinstance(sub_plan, Group)
    assert sub_plan.may_fail
    assert only(Intent(router="", router_address="", weth="", steps=sub_plan.steps)).hops[
        0
    ].pool == (USDC_WETH_500)
    assert isinstance(unlock, Group)
    swap, settle, take = unlock.steps
    assert isinstance(swap, Swap)
    key = b"".join(
        int(word, 16).to_bytes(32) if isinstance(word, str) else word.to_bytes(32)
        for word in (USDC, WETH, 500, 10, NATIVE)
    )
    assert swap.hops[0].pool == "0x" + keccak(key).hex()
    assert swap.hops[0].tokens == (WETH, USDC)
    assert settle == Settle(
        token=WETH, amount_raw=None, is_all_held=False, is_sender=True, most_raw=7
    )
    assert take == Take(token=USDC, recipient=SENDER, amount_raw=None, least_raw=1)
    assert sweep == Pay(token=USDC, recipient=FRIEND, least_raw=1)


def test_paths_of_v4_are_told_from_their_first_token_on() -> None:
    (unlock,) = decoded("universal, paths of V4").steps

    assert isinstance(unlock, Group)
    sold, bought = swaps_in(unlock.steps)
    assert [hop.tokens for hop in sold.hops] == [(NATIVE, USDC), (USDC, WBTC)]
    assert [hop.tokens for hop in bought.hops] == [(USDC, WBTC)]
    assert [hop.token_in for hop in sold.hops] == [0, 1]
    assert sold.hops[1].pool == bought.hops[0].pool


def test_a_later_universal_router_s_bounds_of_single_prices_are_seen() -> None:
    types = ["address", "uint256", "uint256", "bytes", "bool", "uint256[]"]
    path = samples.packed(WETH, 500, USDC)
    for bounds, has_bounds in (([], False), ([0], False), ([7], True)):
        text = encode(types, [FRIEND, ONE, 1, path, True, bounds])

        swap = only(of(samples.UNIVERSAL_2_1, samples.universal((0x00, text))))

        assert swap.has_hop_limits is has_bounds


def test_1inch_says_which_way_through_a_pool_in_a_bit_of_its_address() -> None:
    hop = only(decoded("1inch 5, unoswap")).hops[0]
    assert (hop.pool, hop.token_in, hop.kept_e9) == (USDC_WETH_PAIR, 1, 997_000_000)

    swap = only(decoded("1inch 6, unoswap"))
    first, second = swap.hops
    assert (first.pool, first.token_in, first.kept_e9) == (USDC_WETH_PAIR, 0, 997_000_000)
    assert (second.pool, second.token_in, second.kept_e9) == (USDC_WETH_500, 1, 0)
    assert swap.recipient == FRIEND


def test_0x_sells_to_either_of_two_dexs() -> None:
    hop = only(decoded("0x, pairs")).hops[0]

    assert hop.pool == "0x397ff1542f962076d0bfe58ea045ffa2d347aca0"


@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("1inch 6, swap", (WETH, USDC, ONE, 3_000)),
        ("ParaSwap", (USDC, WETH, 5_000, 7)),
        ("KyberSwap", (USDC, WETH, 5_000, 7)),
        ("OpenOcean", (USDC, WETH, 5_000, 7)),
    ],
)
def test_of_a_hidden_route_tokens_and_amounts_are_told(
    name: str, route: tuple[str, str, int, int]
) -> None:
    token_in, token_out, amount_in_raw, least_out_raw = route

    assert decoded(name).hidden == HiddenRoute(
        token_in=token_in,
        token_out=token_out,
        amount_in_raw=amount_in_raw,
        least_out_raw=least_out_raw,
    )


def test_who_calls_no_router_is_nobody_s_business() -> None:
    text = SAMPLES["universal"][2]

    assert decode(text, to=FRIEND, sender=SENDER, value_raw=0, routers=ETHEREUM) is None


@pytest.mark.parametrize(
    ("to", "text", "why"),
    [
        (samples.UNIVERSAL, b"", Why.UNKNOWN_CALL),
        (samples.UNIVERSAL, samples.universal(), Why.NO_SWAP),
        (samples.UNIVERSAL, samples.universal((0x13, b"")), Why.UNKNOWN_CALL),
        (samples.UNIVERSAL, samples.universal((0x10, samples.plan((0x05, b"")))), Why.UNKNOWN_CALL),
        (samples.UNIVERSAL, samples.universal((0x00, b"\0" * 64)), Why.CUT_OFF),
        (samples.UNIVERSAL, samples.call("execute(bytes,bytes[])", b"\0\0", []), Why.BAD_VALUE),
        (samples.UNIVERSAL, b"\x24\x85\x6b\xc3" + b"\0" * 200_000, Why.TOO_MUCH),
        (
            samples.UNISWAP_ROUTER,
            samples.call(
                "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)",
                *(ONE, 0, [WETH, USDC] * 20, FRIEND, DEADLINE_S),
            ),
            Why.TOO_MUCH,
        ),
        (
            samples.SWAP_ROUTER,
            samples.call(
                "exactInput((bytes,address,uint256,uint256,uint256))",
                (samples.packed(WETH, 500), FRIEND, DEADLINE_S, 1, 1),
            ),
            Why.BAD_VALUE,
        ),
    ],
)
def test_what_is_not_decoded_says_why(to: str, text: bytes, why: Why) -> None:
    with pytest.raises(UndecodableError) as raised:
        of(to, text)

    assert raised.value.why is why
