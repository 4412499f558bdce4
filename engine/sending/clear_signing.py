"""What a hardware wallet shows of a call to the contract: an ERC-7730 descriptor.

A wallet that has it shows words in place of bytes, those that the phone shows of the same plan:
token and amount, the least profit, the builder's share, until when.
"""

from collections.abc import Mapping
from typing import Any, Final

SCHEMA: Final = "https://eips.ethereum.org/assets/eip-7730/erc7730-v1.schema.json"
OWNER: Final = "Syndicate"

_AMOUNT: Final = "tokenAmount"
_NAME: Final = "addressName"


def descriptor(deployments: Mapping[int, str]) -> dict[str, Any]:
    """Return the descriptor of a contract.

    Args:
        deployments: its addresses, by chain id.
    """
    return {
        "$schema": SCHEMA,
        "context": {
            "$id": f"{OWNER} FlashArbitrage",
            "contract": {
                "deployments": [
                    {"chainId": chain_id, "address": address}
                    for chain_id, address in sorted(deployments.items())
                ],
            },
        },
        "metadata": {
            "owner": OWNER,
            "contractName": "FlashArbitrage",
            "enums": {"may": {"true": "yes", "false": "no"}},
        },
        "display": {"formats": dict(FORMATS)},
    }


def _format(intent: str, *fields: dict[str, Any], hidden: tuple[str, ...] = ()) -> dict[str, Any]:
    shown = [field["path"] for field in fields]
    return {"intent": intent, "fields": list(fields), "required": shown, "excluded": list(hidden)}


def _field(path: str, label: str, kind: str, **params: Any) -> dict[str, Any]:
    return {"path": path, "label": label, "format": kind} | ({"params": params} if params else {})


FORMATS: Final[Mapping[str, dict[str, Any]]] = {
    "execute(address asset,uint256 amount,uint256 profitMin,uint256 deadline,uint256 tipBps,"
    "bytes route)": _format(
        "Trade along a route",
        _field("asset", "Token", _NAME, types=["token"]),
        _field("amount", "Amount in", _AMOUNT, tokenPath="asset"),
        _field("profitMin", "Profit at least", _AMOUNT, tokenPath="asset"),
        # In 1/10,000: two decimals make it a percentage.
        _field("tipBps", "Builder's share of profit", "unit", base="%", decimals=2),
        _field("deadline", "Not after", "date", encoding="timestamp"),
        hidden=("route",),
    ),
    "swap(address tokenIn,uint256 amountIn,address tokenOut,uint256 amountOutMin,uint256 deadline,"
    "bytes route)": _format(
        "Trade a token of yours for another",
        _field("tokenIn", "Token that is given", _NAME, types=["token"]),
        _field("amountIn", "Amount given", _AMOUNT, tokenPath="tokenIn"),
        _field("tokenOut", "Token that comes", _NAME, types=["token"]),
        _field("amountOutMin", "Comes at least", _AMOUNT, tokenPath="tokenOut"),
        _field("deadline", "Not after", "date", encoding="timestamp"),
        hidden=("route",),
    ),
    "pause()": _format("Pause the contract"),
    "unpause()": _format("Let the contract run again"),
    "withdraw(address token)": _format(
        "Bring all of a token to the recovery address",
        _field("token", "Token", _NAME, types=["token"]),
    ),
    "revoke(address token,address spender)": _format(
        "Take an allowance back",
        _field("token", "Token", _NAME, types=["token"]),
        _field("spender", "From", _NAME, types=["contract", "eoa"]),
    ),
    "setExecutor(address executor,bool may)": _format(
        "Let an account send routes, or not",
        _field("executor", "Account", _NAME, types=["eoa", "contract"]),
        _field("may", "May send", "enum", **{"$ref": "$.metadata.enums.may"}),
    ),
    "setGuardian(address guardian,bool may)": _format(
        "Make an account a guardian, or not",
        _field("guardian", "Account", _NAME, types=["eoa", "contract"]),
        _field("may", "May pause", "enum", **{"$ref": "$.metadata.enums.may"}),
    ),
    "transferOwnership(address proposed)": _format(
        "Propose a new owner",
        _field("proposed", "New owner", _NAME, types=["eoa", "contract"]),
    ),
    "acceptOwnership()": _format("Become the owner"),
}
"""By function, with the names of its arguments: what is shown of a call."""
