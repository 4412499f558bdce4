// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IFlashArbitrage} from "../interfaces/IFlashArbitrage.sol";

/// @title Reads a packed route from the front
/// @dev docs/contract.md describes the bytes; engine/sending/encoding.py writes them.
library Route {
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
    /// The hop gives the route's own token, whose address is left out.
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
        read.chainId = uint64(bytes8(route[:8]));
        uint256 source = uint8(route[8]);
        if (source > uint256(type(Source).max)) revert IFlashArbitrage.UnknownSource(source);
        read.source = Source(source);
        hops = route[9:];
        if (read.source <= Source.FIRST_HOP) return (read, hops);
        _need(hops, 20);
        read.lender = address(bytes20(hops[:20]));
        hops = hops[20:];
        if (read.source == Source.UNISWAP_V4) return (read, hops);
        if (read.source >= Source.UNISWAP_V2) {
            _need(hops, 1);
            read.isToken0 = hops[0] != 0;
            hops = hops[1:];
        }
        _need(hops, 16);
        read.fee = uint128(bytes16(hops[:16]));
        hops = hops[16:];
    }

    /// @notice Returns the first hop and those after it.
    function next(bytes calldata hops, address home)
        internal
        pure
        returns (Hop memory hop, bytes calldata rest)
    {
        _need(hops, 21);
        hop.flags = uint8(hops[0]);
        hop.kind = hop.flags & KIND;
        hop.pool = address(bytes20(hops[1:21]));
        rest = hops[21:];
        if (hop.flags & HOME != 0) {
            hop.tokenOut = home;
        } else {
            _need(rest, 20);
            hop.tokenOut = address(bytes20(rest[:20]));
            rest = rest[20:];
        }
        uint256 length = _termsLength(hop.kind);
        _need(rest, length);
        if (length > 0) hop.terms = uint256(bytes32(rest[:length])) >> (256 - 8 * length);
        rest = rest[length:];
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
