// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {FlashArbitrage} from "../../src/FlashArbitrage.sol";
import {IFlashArbitrage} from "../../src/interfaces/IFlashArbitrage.sol";
import {IRoles} from "../../src/interfaces/IRoles.sol";
import {Build} from "../support/Build.sol";
import {Deploy} from "../support/Deploy.sol";
import {
    BombToken,
    CallingToken,
    ForgetfulToken,
    GreedyToken,
    GuardedToken,
    LyingToken,
    PlainToken,
    RebasingToken,
    TaxedToken
} from "../support/Tokens.sol";
import {FakePool} from "./Pools.sol";

/// Tokens that do not do what they say, against a contract that holds capital in another one.
contract TokensTest is Deploy {
    address private constant EXECUTOR = address(0xE0EC);
    address private constant RECOVERY = address(0x4EC0);
    uint256 private constant HELD = 100 ether;
    PlainToken private asset;
    FlashArbitrage private bot;

    function setUp() public {
        asset = new PlainToken();
        bot = makeFlashArbitrage(address(asset), RECOVERY, address(this));
        bot.setExecutor(EXECUTOR, true);
        asset.transfer(address(bot), HELD);
    }

    function test_taxedToken_isTradedAsItArrives() public {
        PlainToken token = new TaxedToken();
        uint256 gain = _execute(asset, _through(token, 100, 120), 1);
        // 1 less a hundredth arrives, which gives 1.2 each.
        same(gain, 0.188 ether, "gain");
        same(token.balanceOf(address(bot)), 0, "left");
        _keepsItsCapital();
    }

    function test_taxedAsset_countsOnlyWhatArrived() public {
        PlainToken token = new TaxedToken();
        token.transfer(address(bot), 10 ether);
        uint256 held = token.balanceOf(address(bot));
        uint256 gain = _execute(token, _through(token, asset), 1);
        same(token.balanceOf(address(bot)), held, "it holds what it held");
        holds(token.balanceOf(RECOVERY) < gain, "the tax of the last transfer is not ours");
        _keepsItsCapital();
    }

    function test_lyingToken_isBelievedByItsBalanceAlone() public {
        PlainToken token = new LyingToken();
        _executeReverts(asset, _through(token, 100, 120), IFlashArbitrage.ProfitTooLow.selector);
    }

    function testFuzz_rebasingToken_costsNothingElse(uint256 percent) public {
        PlainToken token = new RebasingToken();
        bytes memory route = _through(token, 100, bound(percent, 50, 200));
        vm.prank(EXECUTOR);
        try bot.execute(address(asset), 1 ether, 1, block.timestamp, 0, route) {} catch {}
        _keepsItsCapital();
    }

    function test_pausedToken_stopsTheRouteAndNoMore() public {
        GuardedToken token = new GuardedToken();
        bytes memory route = _through(token, 100, 120);
        token.set(true, address(0));
        _executeReverts(asset, route, bytes4(0));
        token.set(false, address(0));
        holds(_execute(asset, route, 1) > 0, "no gain");
    }

    function test_shutOut_contractOrRecoveryStopsTheRouteAndNoMore() public {
        GuardedToken token = new GuardedToken();
        token.transfer(address(bot), 10 ether);
        bytes memory route = _through(token, asset);
        token.set(false, RECOVERY);
        _executeReverts(token, route, bytes4(0));
        same(token.balanceOf(address(bot)), 10 ether, "capital");
        token.set(false, address(bot));
        _executeReverts(token, route, bytes4(0));
    }

    function test_bomb_costsNoMoreThanTheGasThatWasSent() public {
        for (uint256 i; i < 2; ++i) {
            BombToken token = new BombToken();
            bytes memory route = _through(token, 100, 120);
            token.arm(i == 0);
            vm.prank(EXECUTOR);
            try bot.execute{gas: 3_000_000}(
                address(asset), 1 ether, 1, block.timestamp, 0, route
            ) {}
                catch {}
            _keepsItsCapital();
        }
    }

    function test_greedyToken_costsNoMoreThanTheGasThatWasSent() public {
        PlainToken token = new GreedyToken();
        FakePool away = new FakePool(address(asset), address(token), 100);
        bytes memory route = bytes.concat(
            Build.own(),
            Build.solidly(address(away), address(token)),
            Build.solidly(address(away), address(0))
        );
        uint256 before = gasleft();
        vm.prank(EXECUTOR);
        try bot.execute{gas: 1_000_000}(address(asset), 1 ether, 1, block.timestamp, 0, route) {
            holds(false, "it ended");
        } catch {}
        holds(before - gasleft() < 1_100_000, "gas");
        _keepsItsCapital();
    }

    function test_reentrance_intoExecuteReverts() public {
        CallingToken token = new CallingToken();
        bytes memory route = _through(token, 100, 120);
        bot.setExecutor(address(token), true);
        token.set(
            address(bot),
            abi.encodeCall(
                IFlashArbitrage.execute, (address(asset), 1 ether, 0, block.timestamp, 0, route)
            )
        );
        _executeReverts(asset, route, IFlashArbitrage.Reentered.selector);
    }

    function test_reentrance_intoAnythingElseReverts() public {
        CallingToken token = new CallingToken();
        bytes memory route = _through(token, 100, 120);
        token.set(address(bot), abi.encodeCall(IFlashArbitrage.withdraw, (address(asset))));
        _executeReverts(asset, route, IRoles.NotGuardian.selector);
        token.set(
            address(bot),
            abi.encodeCall(FlashArbitrage.uniswapV3SwapCallback, (1, 0, new bytes(160)))
        );
        _executeReverts(asset, route, IFlashArbitrage.UnexpectedCallback.selector);
        token.set(address(bot), abi.encodeCall(FlashArbitrage.unlockCallback, (new bytes(160))));
        _executeReverts(asset, route, IFlashArbitrage.UnexpectedCallback.selector);
    }

    function test_tokenThatForgetsAllowances_costsNothingElse() public {
        PlainToken token = new ForgetfulToken();
        FakePool away = _pool(asset, token, 100);
        FakePool home = _pool(token, asset, 120);
        bytes memory route = bytes.concat(
            Build.own(),
            Build.curve(address(away), address(token), 0, 1, false),
            Build.curve(address(home), address(0), 1, 0, false)
        );
        _executeReverts(asset, route, IFlashArbitrage.AllowanceLeft.selector);
    }

    function testFuzz_gifts_areNoProfitIfThereBefore(uint256 gift) public {
        gift = bound(gift, 0, 1e24);
        PlainToken token = new PlainToken();
        bytes memory route = _through(token, 100, 99);
        asset.transfer(address(bot), gift);
        vm.expectPartialRevert(IFlashArbitrage.ProfitTooLow.selector);
        vm.prank(EXECUTOR);
        bot.execute(address(asset), 1 ether, 0, block.timestamp, 0, route);
    }

    // HELPERS

    /// From the asset into a token and home again.
    function _through(PlainToken token, uint256 percentAway, uint256 percentHome)
        private
        returns (bytes memory)
    {
        FakePool away = _pool(asset, token, percentAway);
        FakePool home = _pool(token, asset, percentHome);
        return bytes.concat(
            Build.own(),
            Build.solidly(address(away), address(token)),
            Build.solidly(address(home), address(0))
        );
    }

    /// From a token into another and home again.
    function _through(PlainToken token, PlainToken via) private returns (bytes memory) {
        FakePool away = _pool(token, via, 100);
        FakePool home = _pool(via, token, 130);
        return bytes.concat(
            Build.own(),
            Build.solidly(address(away), address(via)),
            Build.solidly(address(home), address(0))
        );
    }

    function _pool(PlainToken tokenIn, PlainToken tokenOut, uint256 percent)
        private
        returns (FakePool made)
    {
        made = new FakePool(address(tokenIn), address(tokenOut), percent);
        tokenOut.transfer(address(made), 1e20);
    }

    function _execute(PlainToken token, bytes memory route, uint256 profitMin)
        private
        returns (uint256 gain)
    {
        vm.prank(EXECUTOR);
        (gain,) = bot.execute(address(token), 1 ether, profitMin, block.timestamp, 0, route);
    }

    function _executeReverts(PlainToken token, bytes memory route, bytes4 why) private {
        if (why == 0) vm.expectRevert();
        else vm.expectPartialRevert(why);
        vm.prank(EXECUTOR);
        bot.execute(address(token), 1 ether, 1, block.timestamp, 0, route);
        _keepsItsCapital();
    }

    function _keepsItsCapital() private view {
        same(asset.balanceOf(address(bot)), HELD, "capital");
    }
}
