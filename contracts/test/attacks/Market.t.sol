// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {FlashArbitrage} from "../../src/FlashArbitrage.sol";
import {IRoles} from "../../src/interfaces/IRoles.sol";
import {Build} from "../support/Build.sol";
import {World} from "../support/World.sol";

/// Takes the coin in one of several ways, as the account that a builder names may.
contract Builder {
    FlashArbitrage public immutable BOT;
    uint256 public immutable HOW;

    constructor(FlashArbitrage bot, uint256 how) {
        (BOT, HOW) = (bot, how);
    }

    receive() external payable {
        if (HOW == 0) BOT.execute(address(this), 1, 0, block.timestamp, 0, "");
        if (HOW == 1) revert("no");
        if (HOW == 2) while (true) {}
        if (HOW == 3) {
            assembly {
                revert(0, 1000000)
            }
        }
        if (HOW == 4) BOT.unlockCallback(new bytes(160));
    }
}

/// Those who see a transaction before its block, and who makes the block.
contract MarketTest is World {
    uint256 private constant AMOUNT = 30 ether;

    function setUp() public override {
        super.setUp();
        makeDear();
    }

    function test_replay_ofTheSameCallFindsNoProfitLeft() public {
        uint256 profitMin = execute(weth, AMOUNT, _route());
        // What is left is less, and in the end not even what the first pool is owed.
        vm.expectRevert();
        vm.prank(EXECUTOR);
        bot.execute(weth, AMOUNT, profitMin, block.timestamp, 0, _route());
        same(balance(weth, RECOVERY), profitMin, "the profit of the first time");
        nothingIsLeft();
    }

    function test_copy_byAnybodyElseReverts() public {
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotExecutor.selector, STRANGER));
        vm.prank(STRANGER);
        bot.execute(weth, AMOUNT, 1, block.timestamp, 0, _route());
    }

    function testFuzz_sandwich_leavesTheMinimumOrNothingHappened(uint256 size, bool isFirst)
        public
    {
        size = bound(size, 0, 1_000 ether);
        uint256 before = vm.snapshotState();
        uint256 profitMin = execute(weth, AMOUNT, _route()) * 9 / 10;
        vm.revertToState(before);
        give(weth, address(this), size);
        if (isFirst && size > 1e12) swapAtPair(pairV2, weth, usdc, size, 3_000);

        vm.prank(EXECUTOR);
        try bot.execute(weth, AMOUNT, profitMin, block.timestamp, 0, _route()) {
            holds(balance(weth, RECOVERY) >= profitMin, "less than the minimum");
        } catch {
            same(balance(weth, RECOVERY), 0, "nothing");
        }
        nothingIsLeft();
    }

    function testFuzz_sandwich_ofASwapLeavesTheLeastOrTheCallersOwn(uint256 size, bool isFirst)
        public
    {
        uint256 amount = 2 ether;
        give(weth, EXECUTOR, amount);
        uint256 least = outOfPair(pairV2, weth, usdc, amount, 3_000) * 995 / 1_000;
        size = bound(size, 0, 1_000 ether);
        give(weth, address(this), size);
        if (isFirst && size > 1e12) swapAtPair(pairV2, weth, usdc, size, 3_000);
        bytes memory route = bytes.concat(Build.chain(), Build.pair(pairV2, address(0), 3_000));
        vm.prank(EXECUTOR);
        IERC20(weth).approve(address(bot), amount);

        vm.prank(EXECUTOR);
        try bot.swap(weth, amount, usdc, least, block.timestamp, route) {
            holds(balance(usdc, EXECUTOR) >= least, "less than the least");
        } catch {
            same(balance(weth, EXECUTOR), amount, "nothing was taken");
            same(balance(usdc, EXECUTOR), 0, "nothing came");
        }
        nothingIsLeft();
    }

    function test_builder_thatWillNotTakeItsTipGetsNoRouteEither() public {
        for (uint256 how; how < 5; ++how) {
            Builder builder = new Builder(bot, how);
            vm.prank(OWNER);
            bot.setExecutor(address(builder), true);
            vm.coinbase(address(builder));
            vm.expectRevert();
            vm.prank(EXECUTOR);
            bot.execute{gas: 2_000_000}(weth, AMOUNT, 1, block.timestamp, 9_000, _route());
            same(balance(weth, RECOVERY), 0, "nothing");
            nothingIsLeft();
        }
        vm.coinbase(address(new Builder(bot, 9)));
        vm.prank(EXECUTOR);
        bot.execute(weth, AMOUNT, 1, block.timestamp, 9_000, _route());
        nothingIsLeft();
    }

    function _route() private view returns (bytes memory) {
        return dearThen(Build.firstHop(), Build.concentrated(poolV3, address(0)));
    }
}
