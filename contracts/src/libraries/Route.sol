// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IFlashArbitrage} from "../interfaces/IFlashArbitrage.sol";
import {Words} from "./Words.sol";

/// @title Reads a packed route from the front
/// @dev docs/contract.md describes the bytes; engine/sending/encoding.py writes them.
library Route {
    using Words for bytes;

    /// Where the amount comes from; numbers are those of the route's bytes.
    enum Source {
        OWN,
        FIRST_HOP,
        AAVE_V3,
        BALANCER_V2,
        UNISWAP_V2,
        UNISWAP_V3,
        UNISWAP_V4
    }

    uint256 internal constant PAIR = 1;
    uint256 internal constant CONCENTRATED = 2;
    uint256 internal constant SOLIDLY = 3;
    uint256 internal constant V4 = 4;
    uint256 internal constant VAULT = 5;
    uint256 internal constant CURVE = 6;

    /// Of a pool of Uniswap V4: it takes or gives the coin where the route has the wrapped one.
    uint8 internal constant COIN_IN = 0x10;
    uint8 internal constant COIN_OUT = 0x20;
    /// Of a pool of Curve: it numbers its coins by uint256.
    uint8 internal constant UNSIGNED = 0x10;

    uint8 private constant KIND = 0x0f;
    /// The hop gives the token that the route ends in, whose address is left out.
    uint8 private constant HOME = 0x80;

    struct Start {
        uint256 chainId;
        Source source;
        address lender;
        bool isToken0;
        uint256 fee;
    }

    struct Hop {
        uint256 kind;
        uint8 flags;
        address pool;
        address tokenOut;
        /// what only its kind has, as one number
        uint256 terms;
    }

    /// @notice Returns what stands before the hops, and the hops.
    function start(bytes calldata route)
        internal
        pure
        returns (Start memory read, bytes calldata hops)
    {
        _need(route, 9);
        uint256 head = route.wordAt(0);
        read.chainId = head >> 192;
        uint256 source = uint8(head >> 184);
        if (source > uint256(type(Source).max)) revert IFlashArbitrage.UnknownSource(source);
        read.source = Source(source);
        if (read.source <= Source.FIRST_HOP) return (read, route[9:]);
        _need(route, 29);
        read.lender = route.addressAt(9);
        if (read.source == Source.UNISWAP_V4) return (read, route[29:]);
        uint256 at = 29;
        if (read.source >= Source.UNISWAP_V2) {
            _need(route, ++at);
            read.isToken0 = route[29] != 0;
        }
        _need(route, at + 16);
        read.fee = route.wordAt(at) >> 128;
        hops = route[at + 16:];
    }

    /// @notice Returns what stands before the hops of a route without a source, and the hops.
    function chain(bytes calldata route)
        internal
        pure
        returns (uint256 chainId, bytes calldata hops)
    {
        _need(route, 8);
        chainId = route.wordAt(0) >> 192;
        hops = route[8:];
    }

    /// @notice Returns the first hop and those after it.
    function next(bytes calldata hops, address home)
        internal
        pure
        returns (Hop memory hop, bytes calldata rest)
    {
        _need(hops, 21);
        uint256 head = hops.wordAt(0);
        hop.flags = uint8(head >> 248);
        hop.kind = hop.flags & KIND;
        hop.pool = address(uint160(head >> 88));
        bool isHome = hop.flags & HOME != 0;
        uint256 length = _termsLength(hop.kind);
        uint256 end = (isHome ? 21 : 41) + length;
        _need(hops, end);
        hop.tokenOut = isHome ? home : hops.addressAt(21);
        if (length > 0) hop.terms = hops.wordAt(end - length) >> (256 - 8 * length);
        rest = hops[end:];
    }

    function _termsLength(uint256 kind) private pure returns (uint256) {
        if (kind == PAIR) return 3;
        if (kind == CONCENTRATED || kind == SOLIDLY) return 0;
        if (kind == V4) return 5;
        if (kind == VAULT) return 32;
        if (kind == CURVE) return 1;
        revert IFlashArbitrage.UnknownHop(kind);
    }

    function _need(bytes calldata some, uint256 length) private pure {
        if (some.length < length) revert IFlashArbitrage.RouteTooShort(some.length, length);
    }
}
