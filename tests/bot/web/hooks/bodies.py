"""Bodies as providers send them, signed as they sign: written from their documents."""

import gzip
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import msgspec
from eth_hash.auto import keccak

SECRET = "test-secret"
AT_S = 1_700_000_000
ADDRESS = "0x" + "ab" * 20
TOPIC = "0x" + "cd" * 32
Json = dict[str, Any]


def hash_of(number: int, kind: str = "block") -> str:
    return "0x" + hashlib.sha256(f"{kind} {number}".encode()).hexdigest()


def moralis_body(
    block: int = 100,
    *,
    logs: int = 1,
    confirmed: bool = False,
    chain: str = "0x1",
    at_s: int = AT_S,
    first: int = 0,
) -> bytes:
    told = [
        {
            "logIndex": str(first + place),
            "transactionHash": hash_of(block * 1_000 + first + place, "tx"),
            "address": ADDRESS,
            "data": "0x" + f"{place:064x}",
            "topic0": TOPIC,
            "topic1": None,
            "topic2": None,
            "topic3": None,
        }
        for place in range(logs)
    ]
    body = {
        "confirmed": confirmed,
        "chainId": chain,
        "abi": [],
        "streamId": "6c1b2f4e-6b68-4f64-8d31-0f5b5a3e2d11",
        "tag": "pools",
        "retries": 0,
        "block": {"number": str(block), "hash": hash_of(block), "timestamp": str(at_s)},
        "logs": told,
        "txs": [],
        "txsInternal": [],
        "erc20Transfers": [],
        "erc20Approvals": [],
        "nftTransfers": [],
        "nftApprovals": {"ERC721": [], "ERC1155": []},
        "nativeBalances": [],
    }
    return msgspec.json.encode(body)


MORALIS_TEST = msgspec.json.encode(
    {
        "abi": {},
        "block": {"hash": "", "number": "", "timestamp": ""},
        "txs": [],
        "txsInternal": [],
        "logs": [],
        "chainId": "",
        "tag": "",
        "streamId": "",
        "confirmed": True,
        "retries": 0,
        "erc20Approvals": [],
        "erc20Transfers": [],
        "nftApprovals": {"ERC721": [], "ERC1155": []},
        "nftTransfers": [],
    }
)


def moralis_headers(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-signature": f"0x{keccak(body + secret.encode()).hex()}"}


def alchemy_body(
    block: int = 100, *, logs: int = 1, network: str = "BASE_MAINNET", at_s: int = AT_S
) -> bytes:
    told = [
        {
            "data": "0x" + f"{place:064x}",
            "topics": [TOPIC],
            "index": place,
            "account": {"address": ADDRESS},
            "transaction": {"hash": hash_of(block * 1_000 + place, "tx")},
        }
        for place in range(logs)
    ]
    body = {
        "webhookId": "wh_1",
        "id": "whevt_1",
        "createdAt": f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%S}.945953790Z",
        "type": "GRAPHQL",
        "event": {
            "data": {"block": {"hash": hash_of(block), "number": block, "logs": told}},
            "sequenceNumber": "10000000000578619000",
            "network": network,
        },
    }
    return msgspec.json.encode(body)


def alchemy_headers(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-Alchemy-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def node_log(block: int, place: int) -> Json:
    return {
        "address": ADDRESS,
        "topics": [TOPIC],
        "data": "0x" + f"{place:064x}",
        "blockNumber": hex(block),
        "blockHash": hash_of(block),
        "transactionHash": hash_of(block * 1_000 + place, "tx"),
        "transactionIndex": "0x0",
        "logIndex": hex(place),
        "removed": False,
    }


def quicknode_body(first: int = 100, last: int = 100, *, logs: int = 1) -> bytes:
    blocks = [[node_log(block, place) for place in range(logs)] for block in range(first, last + 1)]
    metadata = {
        "network": "base-mainnet",
        "dataset": "logs",
        "batch_start_range": first,
        "batch_end_range": last,
        "blocks_reorged": None,
    }
    return msgspec.json.encode({"metadata": metadata, "data": blocks})


def quicknode_headers(
    body: bytes, secret: str = SECRET, *, nonce: str = "nonce-1", at_s: str = str(AT_S)
) -> dict[str, str]:
    signed = f"{nonce}{at_s}".encode() + body
    return {
        "X-QN-Nonce": nonce,
        "X-QN-Timestamp": at_s,
        "X-QN-Signature": hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest(),
    }


def zipped(body: bytes) -> tuple[bytes, dict[str, str]]:
    """Return a body as it goes its way compressed, and what is said of that."""
    return gzip.compress(body), {"Content-Encoding": "gzip"}
