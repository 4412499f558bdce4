// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.20;

import "./Traps.sol";

contract FakeDollar is Trapped {
    constructor() {
        (name, symbol, decimals, owner) = ("USD Coin", "USDC", 18, address(0));
    }
}

/// As the eye sees it, with a letter of another alphabet.
contract LookalikeDollar is Trapped {
    constructor() {
        (name, symbol, owner) = ("USD Coin", unicode"USD\u0421", address(0));
    }
}

contract Decimals255 is Trapped {
    constructor() {
        (decimals, owner) = (255, address(0));
    }
}

contract LongSymbol is Trapped {
    constructor() {
        owner = address(0);
        assembly {
            sstore(symbol.slot, 20001) // 10,000 characters, of which the first ones are told
            mstore(0, symbol.slot)
            sstore(keccak256(0, 32), not(0))
        }
    }
}

contract NastyName is Trapped {
    constructor() {
        (name, owner) = (unicode"Good\u202e\n<b>", address(0));
    }
}
