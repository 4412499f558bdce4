// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

/// Packs routes, as engine/sending/encoding.py does: test/Encoding.t.sol holds the two together.
library Build {
    /// What stands before the hops of a swap.
    function chain() internal view returns (bytes memory) {
        return abi.encodePacked(uint64(block.chainid));
    }

    function own() internal view returns (bytes memory) {
        return abi.encodePacked(uint64(block.chainid), uint8(0));
    }

    function firstHop() internal view returns (bytes memory) {
        return abi.encodePacked(uint64(block.chainid), uint8(1));
    }

    function aave(address pool, uint128 fee) internal view returns (bytes memory) {
        return abi.encodePacked(uint64(block.chainid), uint8(2), pool, fee);
    }

    function vault(address from, uint128 fee) internal view returns (bytes memory) {
        return abi.encodePacked(uint64(block.chainid), uint8(3), from, fee);
    }

    function pairLoan(address pool, bool isToken0, uint128 fee)
        internal
        view
        returns (bytes memory)
    {
        return abi.encodePacked(uint64(block.chainid), uint8(4), pool, isToken0, fee);
    }

    function flash(address pool, bool isToken0, uint128 fee) internal view returns (bytes memory) {
        return abi.encodePacked(uint64(block.chainid), uint8(5), pool, isToken0, fee);
    }

    function manager(address from) internal view returns (bytes memory) {
        return abi.encodePacked(uint64(block.chainid), uint8(6), from);
    }

    /// A hop to the zero address is one home.
    function hop(uint8 first, address pool, address to, bytes memory terms)
        internal
        pure
        returns (bytes memory)
    {
        if (to == address(0)) return abi.encodePacked(first | 0x80, pool, terms);
        return abi.encodePacked(first, pool, to, terms);
    }

    function pair(address pool, address to, uint24 feePips) internal pure returns (bytes memory) {
        return hop(1, pool, to, abi.encodePacked(feePips));
    }

    function concentrated(address pool, address to) internal pure returns (bytes memory) {
        return hop(2, pool, to, "");
    }

    function solidly(address pool, address to) internal pure returns (bytes memory) {
        return hop(3, pool, to, "");
    }

    function v4(address from, address to, uint24 feePips, uint16 spacing, uint8 coins)
        internal
        pure
        returns (bytes memory)
    {
        return hop(4 | coins, from, to, abi.encodePacked(feePips, spacing));
    }

    function balancer(address from, address to, bytes32 id) internal pure returns (bytes memory) {
        return hop(5, from, to, abi.encodePacked(id));
    }

    function curve(address pool, address to, uint8 i, uint8 j, bool isUnsigned)
        internal
        pure
        returns (bytes memory)
    {
        return hop(isUnsigned ? 0x16 : 6, pool, to, abi.encodePacked(i << 4 | j));
    }
}
