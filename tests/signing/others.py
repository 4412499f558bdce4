"""Transactions as other libraries write them."""

from engine.domain.signing import UnsignedTransaction


def as_others_write(one: UnsignedTransaction) -> dict[str, object]:
    """Write a transaction as eth-account wants it."""
    return {
        "type": 2,
        "chainId": one.chain_id,
        "nonce": one.nonce,
        "to": bytes.fromhex(one.to[2:]),
        "value": one.value_wei,
        "gas": one.gas_limit,
        "maxFeePerGas": one.max_fee_per_gas_wei,
        "maxPriorityFeePerGas": one.max_priority_fee_per_gas_wei,
        "data": one.data,
    }
