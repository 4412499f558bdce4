// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

/// @title Reads packed bytes by the word, where slices would check each piece by itself
/// @dev Behind the end of `some` are other bytes of the call: whoever asks has checked that what it takes of a word
/// is there.
library Words {
    /// @notice Returns the 32 bytes that begin there.
    function wordAt(bytes calldata some, uint256 at) internal pure returns (uint256 word) {
        // slither-disable-next-line assembly
        assembly ("memory-safe") {
            word := calldataload(add(some.offset, at))
        }
    }

    /// @notice Returns the address that begins there.
    function addressAt(bytes calldata some, uint256 at) internal pure returns (address) {
        return address(uint160(wordAt(some, at) >> 96));
    }
}
