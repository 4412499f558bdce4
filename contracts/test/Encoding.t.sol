// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {FlashArbitrage} from "../src/FlashArbitrage.sol";
import {IFlashArbitrage} from "../src/interfaces/IFlashArbitrage.sol";
import {Route} from "../src/libraries/Route.sol";
import {Build} from "./support/Build.sol";
import {Check} from "./support/Check.sol";

contract RouteReader {
    using Route for bytes;

    function start(bytes calldata route) external pure returns (Route.Start memory, bytes memory) {
        (Route.Start memory read, bytes calldata hops) = route.start();
        return (read, hops);
    }

    function chain(bytes calldata route) external pure returns (uint256, bytes memory) {
        (uint256 chainId, bytes calldata hops) = route.chain();
        return (chainId, hops);
    }

    function next(bytes calldata hops, address home)
        external
        pure
        returns (Route.Hop memory, bytes memory)
    {
        (Route.Hop memory hop, bytes calldata rest) = hops.next(home);
        return (hop, rest);
    }
}

contract EncodingTest is Check {
    uint256 private constant VECTORS = 7;
    uint256 private constant SWAPS = 7;
    string private vectors;
    RouteReader private reader;

    function setUp() public {
        vectors = vm.readFile("test/vectors/routes.json");
        reader = new RouteReader();
    }

    function test_vectors_arePackedHereAsInPython() public {
        for (uint256 row; row < VECTORS; ++row) {
            string memory at = string.concat("[", vm.toString(row), "]");
            bytes memory route = _start(at);
            for (uint256 i; i < 7; ++i) {
                route = bytes.concat(
                    route, _hop(string.concat(at, ".route.hops[", vm.toString(i), "]"))
                );
            }
            bytes memory expected = abi.encodeCall(
                FlashArbitrage.execute,
                (
                    _address(at, ".route.source.token"),
                    _number(at, ".route.source.amount_raw"),
                    _number(at, ".route.profit_min_raw"),
                    _number(at, ".route.deadline_ts"),
                    _number(at, ".route.tip_bps"),
                    route
                )
            );
            bytes memory actual = vm.parseJsonBytes(vectors, string.concat(at, ".calldata"));
            same(uint256(keccak256(actual)), uint256(keccak256(expected)), "calldata");
        }
    }

    function test_vectors_areReadAsTheyAreMeant() public {
        for (uint256 row; row < VECTORS; ++row) {
            string memory at = string.concat("[", vm.toString(row), "]");
            bytes memory rest = _start(at);
            for (uint256 i; i < 7; ++i) {
                rest = bytes.concat(
                    rest, _hop(string.concat(at, ".route.hops[", vm.toString(i), "]"))
                );
            }
            Route.Start memory read;
            (read, rest) = reader.start(rest);
            same(read.chainId, 8453, "chain");
            same(uint256(read.source), row, "source");
            same(read.fee, _number(at, ".route.source.fee_raw"), "fee");
            holds(
                read.isToken0
                    == vm.parseJsonBool(vectors, string.concat(at, ".route.source.is_token0")),
                "token 0"
            );
            address home = _address(at, ".route.source.token");
            Route.Hop memory hop;
            for (uint256 i; i < 7; ++i) {
                string memory where = string.concat(at, ".route.hops[", vm.toString(i), "]");
                (hop, rest) = reader.next(rest, home);
                same(hop.pool, _address(where, ".pool"), "pool");
                same(hop.tokenOut, _address(where, ".token_out"), "token out");
            }
            same(rest.length, 0, "rest");
        }
    }

    function test_swaps_arePackedHereAsInPythonAndReadAsTheyAreMeant() public {
        vectors = vm.readFile("test/vectors/swaps.json");
        vm.chainId(8453);
        for (uint256 row; row < SWAPS; ++row) {
            string memory at = string.concat("[", vm.toString(row), "]");
            bytes memory route = Build.chain();
            for (uint256 i; _has(at, i); ++i) {
                route = bytes.concat(route, _hop(_swapHop(at, i)));
            }
            bytes memory expected = abi.encodeCall(
                FlashArbitrage.swap,
                (
                    _address(at, ".swap.token_in"),
                    _number(at, ".swap.amount_in_raw"),
                    _address(at, ".swap.token_out"),
                    _number(at, ".swap.amount_out_min_raw"),
                    _number(at, ".swap.deadline_ts"),
                    route
                )
            );
            bytes memory actual = vm.parseJsonBytes(vectors, string.concat(at, ".calldata"));
            same(uint256(keccak256(actual)), uint256(keccak256(expected)), "calldata");
            _readsSwap(at, route);
        }
    }

    function _readsSwap(string memory at, bytes memory rest) private view {
        uint256 chainId;
        (chainId, rest) = reader.chain(rest);
        same(chainId, 8453, "chain");
        Route.Hop memory hop;
        for (uint256 i; _has(at, i); ++i) {
            (hop, rest) = reader.next(rest, _address(at, ".swap.token_out"));
            same(hop.pool, _address(_swapHop(at, i), ".pool"), "pool");
            same(hop.tokenOut, _address(_swapHop(at, i), ".token_out"), "token out");
        }
        same(rest.length, 0, "rest");
    }

    function testFuzz_chain_revertsIfCutOff(uint256 length) public {
        bytes memory cut = new bytes(bound(length, 0, 7));
        vm.expectPartialRevert(IFlashArbitrage.RouteTooShort.selector);
        reader.chain(cut);
    }

    function testFuzz_start_revertsIfCutOff(uint256 length) public {
        bytes memory whole = Build.pairLoan(address(1), true, 1);
        bytes memory cut = new bytes(bound(length, 0, whole.length - 1));
        for (uint256 i; i < cut.length; ++i) {
            cut[i] = whole[i];
        }
        vm.expectPartialRevert(IFlashArbitrage.RouteTooShort.selector);
        reader.start(cut);
    }

    function testFuzz_next_revertsIfCutOff(uint256 length, uint8 kind) public {
        bytes memory terms = new bytes([3, 0, 0, 5, 32, 1][bound(kind, 0, 5)]);
        bytes memory whole = Build.hop(uint8(bound(kind, 0, 5) + 1), address(1), address(2), terms);
        bytes memory cut = new bytes(bound(length, 0, whole.length - 1));
        for (uint256 i; i < cut.length; ++i) {
            cut[i] = whole[i];
        }
        vm.expectPartialRevert(IFlashArbitrage.RouteTooShort.selector);
        reader.next(cut, address(3));
    }

    function testFuzz_next_revertsIfOfNoKind(uint8 kind) public {
        kind &= 0x0f;
        vm.assume(kind == 0 || kind > 6);
        vm.expectRevert(abi.encodeWithSelector(IFlashArbitrage.UnknownHop.selector, kind));
        reader.next(Build.hop(kind, address(1), address(2), new bytes(40)), address(3));
    }

    function testFuzz_start_revertsIfFromNowhere(uint8 source) public {
        vm.assume(source > 6);
        vm.expectRevert(abi.encodeWithSelector(IFlashArbitrage.UnknownSource.selector, source));
        reader.start(abi.encodePacked(uint64(1), source, new bytes(60)));
    }

    function _start(string memory at) private returns (bytes memory) {
        vm.chainId(_number(at, ".route.chain_id"));
        string memory kind = vm.parseJsonString(vectors, string.concat(at, ".route.source.kind"));
        bytes32 hash = keccak256(bytes(kind));
        if (hash == keccak256("own")) return Build.own();
        if (hash == keccak256("first_hop")) return Build.firstHop();
        address lender = _address(at, ".route.source.address");
        uint128 fee = uint128(_number(at, ".route.source.fee_raw"));
        if (hash == keccak256("aave_v3")) return Build.aave(lender, fee);
        if (hash == keccak256("balancer_v2")) return Build.vault(lender, fee);
        if (hash == keccak256("uniswap_v2")) return Build.pairLoan(lender, true, fee);
        if (hash == keccak256("uniswap_v3")) return Build.flash(lender, true, fee);
        return Build.manager(lender);
    }

    function _hop(string memory at) private view returns (bytes memory) {
        address pool = _address(at, ".pool");
        address to = _address(at, ".token_out");
        if (to == _end(_head(at))) to = address(0);
        bytes32 hash = keccak256(bytes(vm.parseJsonString(vectors, string.concat(at, ".kind"))));
        if (hash == keccak256("uniswap_v2")) {
            return Build.pair(pool, to, uint24(_number(at, ".fee_pips")));
        }
        if (hash == keccak256("uniswap_v3")) return Build.concentrated(pool, to);
        if (hash == keccak256("solidly")) return Build.solidly(pool, to);
        if (hash == keccak256("uniswap_v4")) {
            uint24 fee = uint24(_number(at, ".fee_pips"));
            return Build.v4(pool, to, fee, uint16(_number(at, ".tick_spacing")), 0x20);
        }
        if (hash == keccak256("balancer_v2")) {
            return
                Build.balancer(
                    pool, to, vm.parseJsonBytes32(vectors, string.concat(at, ".pool_id"))
                );
        }
        return Build.curve(
            pool,
            to,
            uint8(_number(at, ".index_in")),
            uint8(_number(at, ".index_out")),
            vm.parseJsonBool(vectors, string.concat(at, ".is_unsigned"))
        );
    }

    /// Where a route ends: a round's own token, or what a swap gives.
    function _end(string memory head) private view returns (address) {
        string memory swap = string.concat(head, ".swap.token_out");
        if (vm.keyExistsJson(vectors, swap)) return vm.parseJsonAddress(vectors, swap);
        return _address(head, ".route.source.token");
    }

    function _swapHop(string memory at, uint256 index) private pure returns (string memory) {
        return string.concat(at, ".swap.hops[", vm.toString(index), "]");
    }

    function _has(string memory at, uint256 index) private view returns (bool) {
        return vm.keyExistsJson(vectors, _swapHop(at, index));
    }

    /// "[3].route.hops[1]" is of "[3]".
    function _head(string memory at) private pure returns (string memory) {
        return string(abi.encodePacked(bytes(at)[0], bytes(at)[1], bytes(at)[2]));
    }

    function _address(string memory at, string memory key) private view returns (address) {
        return vm.parseJsonAddress(vectors, string.concat(at, key));
    }

    function _number(string memory at, string memory key) private view returns (uint256) {
        return vm.parseJsonUint(vectors, string.concat(at, key));
    }
}
