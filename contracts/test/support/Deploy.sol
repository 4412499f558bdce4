// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {FlashArbitrage} from "../../src/FlashArbitrage.sol";
import {Check} from "./Check.sol";

/// The contract as forge has built it.
abstract contract Deploy is Check {
    function makeFlashArbitrage(address wrapped, address recovery, address owner)
        internal
        returns (FlashArbitrage)
    {
        bytes memory words = abi.encode(wrapped, recovery, owner);
        return FlashArbitrage(payable(deployed("FlashArbitrage", words)));
    }
}
