"""Names of functions as people know them, for what is told; nothing is decided by one."""

from typing import Final

from engine.chains.safety.words import selector

PLAIN: Final = frozenset(
    selector(signature)
    for signature in (
        "transfer(address,uint256)",
        "transferFrom(address,address,uint256)",
        "approve(address,uint256)",
        "increaseAllowance(address,uint256)",
        "decreaseAllowance(address,uint256)",
        "balanceOf(address)",
        "allowance(address,address)",
        "totalSupply()",
        "name()",
        "symbol()",
        "decimals()",
        "owner()",
    )
)
"""What every token has: it is tried in its own right."""

_KNOWN: Final = {
    selector(signature): signature.partition("(")[0]
    for signature in (
        "pause()",
        "unpause()",
        "blacklist(address)",
        "addBlackList(address)",
        "destroyBlackFunds(address)",
        "setBlacklist(address,bool)",
        "blacklist(address,bool)",
        "freeze(address)",
        "setParams(uint256,uint256)",
        "setTax(uint256)",
        "setTaxes(uint256,uint256)",
        "setFee(uint256)",
        "setFees(uint256,uint256)",
        "setSellTax(uint256)",
        "setMaxTx(uint256)",
        "setMaxWallet(uint256)",
        "setBots(address[],bool)",
        "addBots(address[])",
        "setTradingEnabled(bool)",
        "enableTrading(bool)",
        "rebase(uint256)",
        "rebase(uint256,int256)",
        "mint(uint256)",
        "mint(address,uint256)",
        "issue(uint256)",
        "burn(address,uint256)",
        "burnFrom(address,uint256)",
        "upgradeTo(address)",
        "upgradeToAndCall(address,bytes)",
        "setImplementation(address)",
        "deprecate(address)",
        "deposit()",
        "setPair(address)",
        "setRule(bool,address,uint256,uint256)",
    )
}


def name_of(function: bytes) -> str:
    """Return a function's name, or its four bytes where it has none that is known."""
    return _KNOWN.get(function, "0x" + function.hex())
