// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IFlashArbitrage} from "../src/interfaces/IFlashArbitrage.sol";
import {IRoles} from "../src/interfaces/IRoles.sol";
import {Build} from "./support/Build.sol";
import {World} from "./support/World.sol";

/// A token of the caller's for another one, at the makers' own pools.
contract SwapTest is World {
    uint256 private constant AMOUNT = 2 ether;

    function setUp() public override {
        super.setUp();
        give(weth, EXECUTOR, 10 * AMOUNT);
        give(usdc, EXECUTOR, 100_000e6);
    }

    // Every kind of pool, alone and one after the other

    function test_swap_atAPair() public {
        uint256 expected = outOfPair(pairV2, weth, usdc, AMOUNT, 3_000);
        same(_swaps(weth, usdc, Build.pair(pairV2, address(0), 3_000)), expected, "by its formula");
    }

    function test_swap_atEachOtherKindOfPool() public {
        _swaps(weth, usdc, Build.concentrated(poolV3, address(0)));
        _swaps(weth, usdc, Build.v4(manager, address(0), 500, 10, 0x10));
        _swaps(weth, usdc, Build.balancer(vault, address(0), weighted));
        _swaps(usdc, usdt, Build.balancer(vault, address(0), stable));
        _swaps(usdc, weth, Build.v4(manager, address(0), 500, 10, 0x20));
        _swaps(usdc, weth, Build.concentrated(poolV3, address(0)));
    }

    function test_swap_throughSeveralPools() public {
        bytes memory hops = bytes.concat(
            Build.pair(pairV2, usdc, 3_000),
            Build.balancer(vault, usdt, stable),
            Build.concentrated(pool("uniswap_v3_usdt_weth_3000"), weth),
            Build.concentrated(poolV3, address(0))
        );
        _swaps(weth, usdc, hops);
    }

    function testFuzz_swap_givesWhatWasSaidOrTakesNothing(
        uint256 amount,
        uint256 least,
        uint24 fee,
        uint256 kind
    ) public {
        amount = bound(amount, 0, 10 * AMOUNT);
        bytes[3] memory ways = [
            Build.pair(pairV2, address(0), fee),
            Build.concentrated(poolV3, address(0)),
            Build.balancer(vault, address(0), weighted)
        ];
        bytes memory route = bytes.concat(Build.chain(), ways[kind % 3]);
        _allow(weth, amount);
        (uint256 coins, uint256 dollars) = (balance(weth, EXECUTOR), balance(usdc, EXECUTOR));
        vm.prank(EXECUTOR);
        try bot.swap(weth, amount, usdc, least, block.timestamp, route) returns (uint256 out) {
            holds(out >= least, "the least");
            same(balance(usdc, EXECUTOR), dollars + out, "what came");
            same(balance(weth, EXECUTOR), coins - amount, "what was taken");
            same(IERC20(weth).allowance(EXECUTOR, address(bot)), 0, "allowed");
        } catch {
            same(balance(usdc, EXECUTOR), dollars, "nothing came");
            same(balance(weth, EXECUTOR), coins, "nothing was taken");
        }
        nothingIsLeft();
        same(balance(usdc, RECOVERY) + balance(weth, RECOVERY), 0, "nobody else got anything");
    }

    function test_swap_leavesWhatTheContractHeld() public {
        give(weth, address(bot), 5 ether);
        give(usdc, address(bot), 5e6);
        _allow(weth, AMOUNT);
        vm.prank(EXECUTOR);
        bot.swap(weth, AMOUNT, usdc, 1, block.timestamp, _route());
        same(balance(weth, address(bot)), 5 ether, "coins");
        same(balance(usdc, address(bot)), 5e6, "dollars");
    }

    function test_swap_takesALeastOfExactlyWhatComes() public {
        uint256 out = outOfPair(pairV2, weth, usdc, AMOUNT, 3_000);
        _allow(weth, AMOUNT);
        vm.prank(EXECUTOR);
        bot.swap(weth, AMOUNT, usdc, out, block.timestamp, _route());
    }

    function test_swap_revertsIfOneLessComes() public {
        uint256 out = outOfPair(pairV2, weth, usdc, AMOUNT, 3_000);
        _allow(weth, AMOUNT);
        vm.expectRevert(
            abi.encodeWithSelector(IFlashArbitrage.OutTooLow.selector, usdc, out, out + 1)
        );
        vm.prank(EXECUTOR);
        bot.swap(weth, AMOUNT, usdc, out + 1, block.timestamp, _route());
    }

    // What may be taken

    function test_swap_takesOfItsCallerAlone() public {
        give(weth, STRANGER, AMOUNT);
        vm.prank(STRANGER);
        IERC20(weth).approve(address(bot), type(uint256).max);
        vm.expectRevert();
        vm.prank(EXECUTOR);
        bot.swap(weth, AMOUNT, usdc, 1, block.timestamp, _route());
        same(balance(weth, STRANGER), AMOUNT, "somebody else's");
    }

    function test_swap_revertsIfMoreOrLessIsAllowed() public {
        _allow(weth, AMOUNT - 1);
        vm.expectRevert();
        vm.prank(EXECUTOR);
        bot.swap(weth, AMOUNT, usdc, 1, block.timestamp, _route());
        _allow(weth, AMOUNT + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IFlashArbitrage.AllowanceLeft.selector, weth, address(bot), uint256(1)
            )
        );
        vm.prank(EXECUTOR);
        bot.swap(weth, AMOUNT, usdc, 1, block.timestamp, _route());
    }

    function test_swap_cannotBeSentTwice() public {
        _allow(weth, AMOUNT);
        vm.prank(EXECUTOR);
        bot.swap(weth, AMOUNT, usdc, 1, block.timestamp, _route());
        vm.expectRevert();
        vm.prank(EXECUTOR);
        bot.swap(weth, AMOUNT, usdc, 1, block.timestamp, _route());
    }

    // What is refused

    function test_swap_revertsIfNotByAnExecutor() public {
        address[3] memory others = [OWNER, GUARDIAN, STRANGER];
        for (uint256 i; i < others.length; ++i) {
            give(weth, others[i], AMOUNT);
            vm.prank(others[i]);
            IERC20(weth).approve(address(bot), AMOUNT);
            vm.expectRevert(abi.encodeWithSelector(IRoles.NotExecutor.selector, others[i]));
            vm.prank(others[i]);
            bot.swap(weth, AMOUNT, usdc, 1, block.timestamp, _route());
        }
    }

    function test_swap_revertsIfPaused() public {
        vm.prank(GUARDIAN);
        bot.pause();
        _reverts(weth, usdc, _route(), IRoles.IsPaused.selector);
    }

    function test_swap_revertsIfTooLate() public {
        _allow(weth, AMOUNT);
        vm.expectRevert(
            abi.encodeWithSelector(
                IFlashArbitrage.Expired.selector, block.timestamp - 1, block.timestamp
            )
        );
        vm.prank(EXECUTOR);
        bot.swap(weth, AMOUNT, usdc, 1, block.timestamp - 1, _route());
    }

    function test_swap_revertsOnAnotherChain() public {
        bytes memory route = _route();
        vm.chainId(8453);
        _allow(weth, AMOUNT);
        vm.expectRevert(abi.encodeWithSelector(IFlashArbitrage.WrongChain.selector, 1, 8453));
        vm.prank(EXECUTOR);
        bot.swap(weth, AMOUNT, usdc, 1, block.timestamp, route);
    }

    function test_swap_revertsIfIntoTheSameToken() public {
        bytes memory round = bytes.concat(
            Build.chain(), Build.pair(pairV2, usdc, 3_000), Build.concentrated(poolV3, address(0))
        );
        _reverts(weth, weth, round, IFlashArbitrage.SameToken.selector);
    }

    function test_swap_revertsIfItDoesNotEndWhereItIsSaid() public {
        bytes4 open = IFlashArbitrage.RouteOpen.selector;
        _reverts(weth, usdc, Build.chain(), open);
        bytes memory astray = bytes.concat(Build.chain(), Build.pair(pairV2, usdc, 3_000));
        _reverts(weth, usdt, astray, open);
        _reverts(weth, usdc, "", IFlashArbitrage.RouteTooShort.selector);
    }

    function test_swap_revertsIfThereIsNoPool() public {
        bytes memory none =
            bytes.concat(Build.chain(), Build.concentrated(address(0xDEAD), address(0)));
        _allow(weth, AMOUNT);
        vm.expectRevert();
        vm.prank(EXECUTOR);
        bot.swap(weth, AMOUNT, usdc, 1, block.timestamp, none);
    }

    // HELPERS

    function _route() private view returns (bytes memory) {
        return bytes.concat(Build.chain(), Build.pair(pairV2, address(0), 3_000));
    }

    function _allow(address token, uint256 amount) private {
        vm.prank(EXECUTOR);
        IERC20(token).approve(address(bot), amount);
    }

    function _swaps(address from, address to, bytes memory hops) private returns (uint256 out) {
        uint256 amount = from == weth ? AMOUNT : 1_000e6;
        _allow(from, amount);
        (uint256 gave, uint256 got) = (balance(from, EXECUTOR), balance(to, EXECUTOR));
        vm.prank(EXECUTOR);
        out = bot.swap(from, amount, to, 1, block.timestamp, bytes.concat(Build.chain(), hops));
        holds(out > 0, "nothing came");
        same(balance(from, EXECUTOR), gave - amount, "what was taken");
        same(balance(to, EXECUTOR), got + out, "what came");
        nothingIsLeft();
    }

    function _reverts(address from, address to, bytes memory route, bytes4 why) private {
        _allow(from, AMOUNT);
        vm.expectPartialRevert(why);
        vm.prank(EXECUTOR);
        bot.swap(from, AMOUNT, to, 1, block.timestamp, route);
    }
}
