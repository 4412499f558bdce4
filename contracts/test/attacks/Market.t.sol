// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

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
