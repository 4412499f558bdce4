// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IFlashArbitrage} from "../../src/interfaces/IFlashArbitrage.sol";
import {Build} from "../support/Build.sol";
import {
    BombToken,
    FalseToken,
    ForgetfulToken,
    GuardedToken,
    LyingToken,
    PlainToken,
    RebasingToken,
    SilentToken,
    TaxedToken,
    TwinToken,
    TwinnedToken
} from "../support/Tokens.sol";
import {FakePool} from "./Pools.sol";
import {SwapSetting} from "./SwapSetting.sol";

/// Moves all that it is asked for and takes as much again of whoever sends.
contract GreedySenderToken is PlainToken {
    address public prey;

    function set(address prey_) external {
        prey = prey_;
    }

    function _move(address from, address to, uint256 value) internal override {
        super._move(from, to, value);
        if (from == prey) super._move(from, address(this), value);
    }
}

/// Moves twice of what is allowed, and leaves the allowance what it was.
contract GenerousToken is PlainToken {
    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        _move(from, to, 2 * value);
        allowance[from][msg.sender] -= value;
        return true;
    }
}

/// Tokens that do not do what they say, where one is traded for another.
contract SwapTokensTest is SwapSetting {
    function test_taxedToken_isTradedAsItArrivesAndCountedAsItIsGot() public {
        PlainToken taxed = new TaxedToken();
        taxed.transfer(EXECUTOR, HELD);
        bytes memory into = _at(Build.solidly(address(_pool(taxed, get, 100)), address(0)));
        same(_swap(taxed, get, into), 0.99 ether, "less the tax of coming");
        bytes memory out = _at(Build.solidly(address(_pool(give, taxed, 100)), address(0)));
        // Of 1 a hundredth is lost on the way to us, and one of the rest on the way to the caller.
        same(_swap(give, taxed, out), 0.9801 ether, "what is got, not what came");
        give.transfer(EXECUTOR, 1 ether);
        _allow(give, 1 ether);
        vm.expectPartialRevert(IFlashArbitrage.OutTooLow.selector);
        vm.prank(EXECUTOR);
        bot.swap(address(give), 1 ether, address(taxed), 0.99 ether, block.timestamp, out);
    }

    function test_lyingToken_isBelievedByBalancesAlone() public {
        PlainToken lying = new LyingToken();
        bytes memory route = _at(Build.solidly(address(_pool(give, lying, 100)), address(0)));
        _allow(give, 1 ether);
        vm.expectPartialRevert(IFlashArbitrage.OutTooLow.selector);
        vm.prank(EXECUTOR);
        bot.swap(address(give), 1 ether, address(lying), 0.5 ether, block.timestamp, route);
    }

    function test_tokenThatTakesMoreOfTheContractReverts() public {
        GreedySenderToken greedy = new GreedySenderToken();
        greedy.transfer(EXECUTOR, HELD);
        greedy.transfer(address(bot), HELD);
        bytes memory into = _at(Build.solidly(address(_pool(greedy, get, 100)), address(0)));
        bytes memory out = _at(Build.solidly(address(_pool(give, greedy, 100)), address(0)));
        greedy.set(address(bot));
        _reverts(greedy, get, into, IFlashArbitrage.HoldsLess.selector);
        _reverts(give, greedy, out, IFlashArbitrage.HoldsLess.selector);
        same(greedy.balanceOf(address(bot)), HELD, "what it held of it");
    }

    function test_tokenThatBringsMoreIsTradedWithAllThatCame() public {
        PlainToken generous = new GenerousToken();
        generous.transfer(EXECUTOR, HELD);
        bytes memory route = _at(Build.solidly(address(_pool(generous, get, 100)), address(0)));
        same(_swap(generous, get, route), 2 ether, "what came of both");
    }

    function test_tokenThatKeepsItsAllowanceReverts() public {
        PlainToken forgetful = new ForgetfulToken();
        forgetful.transfer(EXECUTOR, HELD);
        bytes memory route = _at(Build.solidly(address(_pool(forgetful, get, 100)), address(0)));
        _reverts(forgetful, get, route, IFlashArbitrage.AllowanceLeft.selector);
    }

    function test_silentTokens_areTakenAllowedToPoolsAndGiven() public {
        PlainToken silent = _silent();
        bytes memory into =
            _at(Build.curve(address(_pool(silent, get, 100)), address(0), 0, 1, false));
        same(_swap(silent, get, into), 1 ether, "given for it");
        same(_swap(silent, get, into), 1 ether, "and again, from an allowance of nothing");
        bytes memory out = _at(Build.solidly(address(_pool(give, silent, 100)), address(0)));
        same(_swap(give, silent, out), 1 ether, "got of it");
    }

    function test_silentTokenOfWhichSomeIsAllowedToThePool_isAllowedAnew() public {
        PlainToken silent = _silent();
        FakePool there = _pool(silent, get, 100);
        bytes memory route = _at(Build.curve(address(there), address(0), 0, 1, false));
        vm.prank(address(bot)); // as other code may have left it behind a proxy
        SilentToken(address(silent)).approve(address(there), 5);
        same(_swap(silent, get, route), 1 ether, "given for it");
        same(silent.allowance(address(bot), address(there)), 0, "allowed");
    }

    function test_tokenThatSaysNo_isNotTakenForMoved() public {
        FalseToken no = new FalseToken();
        no.transfer(EXECUTOR, HELD);
        no.transfer(address(bot), HELD);
        bytes memory into = _at(Build.solidly(address(_pool(no, get, 100)), address(0)));
        bytes memory out = _at(Build.solidly(address(_pool(give, no, 100)), address(0)));
        no.set(address(bot));
        _saysNo(no, get, into);
        _saysNo(give, no, out);
        same(no.balanceOf(address(bot)), HELD, "what it held of it");
    }

    function test_tokenUnderTwoAddresses_isNotCountedTwice() public {
        TwinnedToken one = new TwinnedToken();
        PlainToken two = PlainToken(address(new TwinToken(one)));
        one.set(address(two));
        one.transfer(EXECUTOR, HELD);
        one.transfer(address(bot), HELD);
        FakePool through = new FakePool(address(one), address(two), 100);
        one.transfer(address(through), HELD);
        bytes memory route = _at(Build.solidly(address(through), address(0)));
        _allow(one, 1 ether);
        vm.prank(EXECUTOR);
        uint256 out = bot.swap(address(one), 1 ether, address(two), 1, block.timestamp, route);
        same(out, 1 ether, "what came, once");
        same(one.balanceOf(EXECUTOR), HELD, "what the caller has");
        same(one.balanceOf(address(bot)), HELD, "what it held of it");
        through.set(FakePool.Cheat.GIVES_NOTHING, 0, accomplice);
        _reverts(one, two, route, IFlashArbitrage.OutTooLow.selector);
        same(one.balanceOf(address(bot)), HELD, "what it held of it, still");
    }

    function test_guardedAndBurstingTokensStopTheSwapAndNoMore() public {
        GuardedToken guarded = new GuardedToken();
        guarded.transfer(EXECUTOR, HELD);
        bytes memory route = _at(Build.solidly(address(_pool(guarded, get, 100)), address(0)));
        guarded.set(true, address(0));
        _reverts(guarded, get, route, bytes4(0));
        guarded.set(false, address(bot));
        _reverts(guarded, get, route, bytes4(0));
        BombToken bomb = new BombToken();
        bytes memory bursts = _at(Build.solidly(address(_pool(give, bomb, 100)), address(0)));
        bomb.arm(true);
        _reverts(give, bomb, bursts, bytes4(0));
    }

    function testFuzz_rebasingToken_costsNothingElse(uint256 percent) public {
        PlainToken rebasing = new RebasingToken();
        FakePool there = _pool(give, rebasing, bound(percent, 50, 200));
        bytes memory route = _at(Build.solidly(address(there), address(0)));
        _allow(give, 1 ether);
        vm.prank(EXECUTOR);
        try bot.swap(address(give), 1 ether, address(rebasing), 1, block.timestamp, route) {}
            catch {}
        _keepsItsCapital();
    }

    // HELPERS

    function _silent() private returns (PlainToken) {
        SilentToken made = new SilentToken();
        made.transfer(EXECUTOR, HELD);
        return PlainToken(address(made));
    }

    /// A swap of which nothing has to come: what is not moved would just stay where it is.
    function _saysNo(PlainToken from, PlainToken to, bytes memory route) private {
        _allow(from, 1 ether);
        vm.expectPartialRevert(SafeERC20.SafeERC20FailedOperation.selector);
        vm.prank(EXECUTOR);
        bot.swap(address(from), 1 ether, address(to), 0, block.timestamp, route);
        _keepsItsCapital();
    }
}
