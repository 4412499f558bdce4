"""A wallet that has the descriptor shows all of a call that a person has to know."""

import re
from decimal import Decimal
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_hash.auto import keccak

from engine.domain.routes_on_chain import SourceKind
from engine.sending.clear_signing import FORMATS, descriptor
from engine.sending.contract_code import DIRECT, abi
from engine.sending.encoding import calldata, swap_calldata
from tests.sending.routes import CONTRACT, DAI, WETH, route_of, swap_of

CHANGING = ("nonpayable", "payable")
CALLED_BY_POOLS = re.compile(r"Call(back)?$|^hook$|^executeOperation$|^receiveFlashLoan$")


def arguments(written: str) -> list[tuple[str, str]]:
    inner = written[written.index("(") + 1 : -1]
    pairs = [tuple(one.split(" ")) for one in inner.split(",") if one]
    return [(kind, name) for kind, name in pairs]


def shown(data: bytes) -> dict[str, str]:
    """Return what a wallet shows of a call: the rules of ERC-7730 for the formats that are used."""
    for written, form in FORMATS.items():
        given = arguments(written)
        bare = f"{written[: written.index('(')]}({','.join(kind for kind, _ in given)})"
        if keccak(bare.encode())[:4] != data[:4]:
            continue
        values = dict(
            zip(
                (name for _, name in given),
                abi_decode([kind for kind, _ in given], data[4:]),
                strict=True,
            )
        )
        return {"": form["intent"]} | {
            field["label"]: text_of(field, values) for field in form["fields"]
        }
    raise AssertionError("a call that the descriptor does not know")


def text_of(field: dict[str, Any], values: dict[str, Any]) -> str:
    value, params = values[field["path"]], field.get("params", {})
    match field["format"]:
        case "tokenAmount":
            return f"{Decimal(value) / 10**18:f} of {values[params['tokenPath']]}"
        case "unit":
            return f"{Decimal(value) / 10 ** params['decimals']:f}{params['base']}"
        case "date":
            assert params == {"encoding": "timestamp"}
            return str(value)
    return str(value)


def test_a_route_is_shown_as_it_was_approved() -> None:
    route = route_of(SourceKind.AAVE_V3)

    assert shown(calldata(route)) == {
        "": "Trade along a route",
        "Token": WETH,
        "Amount in": f"3 of {WETH}",
        "Profit at least": f"0.010000000000000001 of {WETH}",
        "Builder's share of profit": "90%",
        "Not after": "1800000000",
    }


def test_a_swap_is_shown_with_what_is_given_and_what_comes_at_least() -> None:
    assert shown(swap_calldata(swap_of())) == {
        "": "Trade a token of yours for another",
        "Token that is given": WETH,
        "Amount given": f"3 of {WETH}",
        "Token that comes": DAI,
        "Comes at least": f"0.010000000000000001 of {DAI}",
        "Not after": "1800000000",
    }


def test_every_function_that_people_and_signers_call_is_described() -> None:
    described = {written: written[: written.index("(")] for written in FORMATS}
    called = {
        one["name"]
        for one in abi(DIRECT)
        if one["type"] == "function" and one["stateMutability"] in CHANGING
    }

    assert set(described.values()) == {one for one in called if not CALLED_BY_POOLS.search(one)}


def test_each_description_has_the_arguments_of_the_interface() -> None:
    written = {
        f"{one['name']}({','.join(given['type'] + ' ' + given['name'] for given in one['inputs'])})"
        for one in abi(DIRECT)
        if one["type"] == "function"
    }

    assert set(FORMATS) <= written


def test_every_argument_is_shown_or_left_out_by_name() -> None:
    for text, form in FORMATS.items():
        names = [name for _, name in arguments(text)]
        assert sorted([*(one["path"] for one in form["fields"]), *form["excluded"]]) == sorted(
            names
        )
        for field in form["fields"]:
            assert field.get("params", {}).get("tokenPath", names[0]) in names


def test_it_is_of_the_contracts_that_were_deployed() -> None:
    made = descriptor({8453: CONTRACT, 1: CONTRACT})

    assert made["context"]["contract"]["deployments"] == [
        {"chainId": 1, "address": CONTRACT},
        {"chainId": 8453, "address": CONTRACT},
    ]
