// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {FlashArbitrage} from "../../src/FlashArbitrage.sol";
import {Build} from "../support/Build.sol";
import {Deploy} from "../support/Deploy.sol";
import {PlainToken} from "../support/Tokens.sol";
import {FakePool} from "./Pools.sol";

/// Where a token of the caller's is traded among those who mean no good: by a contract that holds
/// capital, for a caller that holds more than it trades.
abstract contract SwapSetting is Deploy {
    using SafeERC20 for IERC20;

    address internal constant EXECUTOR = address(0xE0EC);
    address internal constant OTHER = address(0x07E4);
    address internal constant RECOVERY = address(0x4EC0);
    uint256 internal constant HELD = 100 ether;
    PlainToken internal give;
    PlainToken internal get;
    FlashArbitrage internal bot;
    FakePool internal away;
    FakePool internal accomplice;

    function setUp() public {
        give = new PlainToken();
        get = new PlainToken();
        bot = makeFlashArbitrage(address(give), RECOVERY, address(this));
        bot.setExecutor(OTHER, true);
        bot.setExecutor(EXECUTOR, true);
        PlainToken[2] memory both = [give, get];
        for (uint256 i; i < 2; ++i) {
            both[i].transfer(address(bot), HELD);
            both[i].transfer(EXECUTOR, HELD);
            both[i].transfer(OTHER, HELD);
        }
        away = _pool(give, get, 100);
        accomplice = _pool(get, give, 100);
    }

    // HELPERS

    function _pool(PlainToken tokenIn, PlainToken tokenOut, uint256 percent)
        internal
        returns (FakePool made)
    {
        made = new FakePool(address(tokenIn), address(tokenOut), percent);
        IERC20(address(tokenOut)).safeTransfer(address(made), 1e24);
    }

    function _at(bytes memory hops) internal view returns (bytes memory) {
        return bytes.concat(Build.chain(), hops);
    }

    function _allow(PlainToken token, uint256 amount) internal {
        vm.prank(EXECUTOR);
        IERC20(address(token)).forceApprove(address(bot), amount);
    }

    function _swap(PlainToken from, PlainToken to, bytes memory route)
        internal
        returns (uint256 out)
    {
        uint256 had = to.balanceOf(EXECUTOR);
        _allow(from, 1 ether);
        vm.prank(EXECUTOR);
        out = bot.swap(address(from), 1 ether, address(to), 1, block.timestamp, route);
        same(to.balanceOf(EXECUTOR), had + out, "what the caller got");
        same(from.allowance(EXECUTOR, address(bot)), 0, "an allowance is left");
        _keepsItsCapital();
    }

    function _cheats(FakePool.Cheat how, bytes memory route, bytes4 why) internal {
        away.set(how, 0, accomplice);
        _reverts(give, get, route, why);
        away.set(FakePool.Cheat.NONE, 0, accomplice);
    }

    function _reverts(PlainToken from, PlainToken to, bytes memory route, bytes4 why) internal {
        _allow(from, 1 ether);
        uint256 had = from.balanceOf(EXECUTOR);
        if (why == 0) vm.expectRevert();
        else vm.expectPartialRevert(why);
        vm.prank(EXECUTOR);
        bot.swap(address(from), 1 ether, address(to), 1, block.timestamp, route);
        same(from.balanceOf(EXECUTOR), had, "nothing was taken");
        _keepsItsCapital();
    }

    function _keepsItsCapital() internal view {
        same(give.balanceOf(address(bot)), HELD, "capital");
        same(get.balanceOf(address(bot)), HELD, "other capital");
        same(give.allowance(address(bot), address(away)), 0, "allowed");
    }
}
