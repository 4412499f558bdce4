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
    GuardedToken,
    LyingToken,
    PlainToken,
    RebasingToken,
    TaxedToken
} from "../support/Tokens.sol";
import {FakePool} from "./Pools.sol";

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

/// Pools, tokens and callers that mean no good, where a token of the caller's is traded: against a contract
/// that holds capital, and a caller that holds more than it trades.
contract SwapAttacksTest is Deploy {
    address private constant EXECUTOR = address(0xE0EC);
    address private constant OTHER = address(0x07E4);
    address private constant RECOVERY = address(0x4EC0);
    uint256 private constant HELD = 100 ether;
    PlainToken private give;
    PlainToken private get;
    FlashArbitrage private bot;
    FakePool private away;
    FakePool private accomplice;

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

    // Pools

    function test_pools_cannotCheatWhereTheyAreTradedAt() public {
        bytes4 missing = IFlashArbitrage.CallbackMissing.selector;
        bytes4 unexpected = IFlashArbitrage.UnexpectedCallback.selector;
        bytes4 low = IFlashArbitrage.OutTooLow.selector;
        bytes memory concentrated = _at(Build.concentrated(address(away), address(0)));
        _cheats(FakePool.Cheat.NEVER_CALLS, concentrated, missing);
        _cheats(FakePool.Cheat.CALLS_TWICE, concentrated, unexpected);
        _cheats(FakePool.Cheat.OTHER_WORDS, concentrated, unexpected);
        _cheats(FakePool.Cheat.OTHER_KIND, concentrated, unexpected);
        _cheats(FakePool.Cheat.BY_ANOTHER, concentrated, unexpected);
        _cheats(FakePool.Cheat.ASKS_MORE, concentrated, IFlashArbitrage.PartialFill.selector);
        _cheats(FakePool.Cheat.ASKS_LESS, concentrated, IFlashArbitrage.PartialFill.selector);
        _cheats(FakePool.Cheat.GIVES_NOTHING, concentrated, low);
        bytes memory four = _at(Build.v4(address(away), address(0), 500, 10, 0));
        _cheats(FakePool.Cheat.NEVER_CALLS, four, missing);
        _cheats(FakePool.Cheat.ASKS_MORE, four, IFlashArbitrage.PartialFill.selector);
        _cheats(FakePool.Cheat.ASKS_LESS, four, IFlashArbitrage.PartialFill.selector);
        _cheats(FakePool.Cheat.GIVES_NOTHING, four, low);
        bytes memory pair = _at(Build.pair(address(away), address(0), 0));
        _cheats(FakePool.Cheat.GIVES_NOTHING, pair, low);
        bytes memory solidly = _at(Build.solidly(address(away), address(0)));
        _cheats(FakePool.Cheat.GIVES_NOTHING, solidly, low);
        bytes memory curve = _at(Build.curve(address(away), address(0), 0, 1, false));
        bytes4 left = IFlashArbitrage.AllowanceLeft.selector;
        _cheats(FakePool.Cheat.TAKES_NO_ALLOWANCE, curve, left);
        _cheats(FakePool.Cheat.GIVES_NOTHING, curve, low);
        bytes memory vault = _at(Build.balancer(address(away), address(0), bytes32(0)));
        _reverts(give, get, vault, bytes4(0));
        bytes[5] memory honest = [concentrated, four, pair, solidly, curve];
        for (uint256 i; i < honest.length; ++i) {
            // A pair gives less by its formula, by what is traded of all that it holds.
            holds(_swap(give, get, honest[i]) > 0.999 ether, "what came");
        }
    }

    function test_laterPool_spendsOnlyWhatTheOneBeforeGave() public {
        FakePool back = _pool(get, give, 100);
        PlainToken third = new PlainToken();
        FakePool last = _pool(give, third, 100);
        bytes memory route = _at(
            bytes.concat(
                Build.solidly(address(away), address(get)),
                Build.solidly(address(back), address(give)),
                Build.solidly(address(last), address(0))
            )
        );
        same(_swap(give, third, route), 1 ether, "through both again");
        // Nothing comes of the first, so that what the contract holds would have to pay the second.
        away.set(FakePool.Cheat.GIVES_NOTHING, 0, accomplice);
        _reverts(give, third, route, IFlashArbitrage.OutTooLow.selector);
    }

    function test_callbacks_ofStrangersRevertMeanwhileAndAfterwards() public {
        CallingToken calling = new CallingToken();
        calling.transfer(EXECUTOR, HELD);
        FakePool through = _pool(calling, get, 100);
        bytes memory route = _at(Build.solidly(address(through), address(0)));
        bytes memory words = abi.encodePacked(
            address(get), address(give), uint256(1 ether), uint256(0), type(uint256).max
        );
        bytes[4] memory calls = [
            abi.encodeCall(FlashArbitrage.uniswapV2Call, (address(0), 0, 0, words)),
            abi.encodeCall(FlashArbitrage.uniswapV3SwapCallback, (1 ether, 0, words)),
            abi.encodeCall(FlashArbitrage.uniswapV3FlashCallback, (0, 0, words)),
            abi.encodeCall(FlashArbitrage.unlockCallback, (words))
        ];
        for (uint256 i; i < calls.length; ++i) {
            calling.set(address(bot), calls[i]);
            _reverts(calling, get, route, IFlashArbitrage.UnexpectedCallback.selector);
            calling.set(address(0), "");
            _swap(calling, get, route);
            vm.expectPartialRevert(IFlashArbitrage.UnexpectedCallback.selector);
            through.callFor(address(bot), calls[i]);
        }
    }

    // Reentrance

    function test_reentrance_intoEitherCallReverts() public {
        CallingToken calling = new CallingToken();
        calling.transfer(EXECUTOR, HELD);
        bot.setExecutor(address(calling), true);
        bytes memory route = _at(Build.solidly(address(_pool(calling, get, 100)), address(0)));
        bytes memory inner = _at(Build.solidly(address(away), address(0)));
        calling.set(
            address(bot),
            abi.encodeCall(
                IFlashArbitrage.swap, (address(give), 1, address(get), 0, block.timestamp, inner)
            )
        );
        _reverts(calling, get, route, IFlashArbitrage.Reentered.selector);
        calling.set(
            address(bot),
            abi.encodeCall(
                IFlashArbitrage.execute, (address(give), 1, 0, block.timestamp, 0, Build.own())
            )
        );
        _reverts(calling, get, route, IFlashArbitrage.Reentered.selector);
        calling.set(address(bot), abi.encodeCall(IFlashArbitrage.withdraw, (address(get))));
        _reverts(calling, get, route, IRoles.NotGuardian.selector);
    }

    function test_reentrance_ofASwapIntoARoundReverts() public {
        CallingToken calling = new CallingToken();
        FakePool there = _pool(give, calling, 100);
        FakePool home = _pool(calling, give, 120);
        bot.setExecutor(address(calling), true);
        calling.set(
            address(bot),
            abi.encodeCall(
                IFlashArbitrage.swap,
                (address(give), 1, address(get), 0, block.timestamp, Build.chain())
            )
        );
        vm.expectPartialRevert(IFlashArbitrage.Reentered.selector);
        vm.prank(EXECUTOR);
        bot.execute(
            address(give),
            1 ether,
            1,
            block.timestamp,
            0,
            bytes.concat(
                Build.own(),
                Build.solidly(address(there), address(calling)),
                Build.solidly(address(home), address(0))
            )
        );
    }

    // Tokens

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

    // Callers

    function testFuzz_stolenKey_getsNothingOfWhatIsNotItsOwn(
        uint256 amount,
        uint256 allowed,
        uint8 cheat,
        uint8 kind
    ) public {
        // Another account that may send routes has allowed the contract all that it has.
        vm.prank(OTHER);
        give.approve(address(bot), HELD);
        away.set(FakePool.Cheat(cheat % 10), 0, accomplice);
        bytes[5] memory hops = [
            Build.pair(address(away), address(0), 0),
            Build.concentrated(address(away), address(0)),
            Build.solidly(address(away), address(0)),
            Build.v4(address(away), address(0), 500, 10, 0),
            Build.curve(address(away), address(0), 0, 1, false)
        ];
        _allow(give, bound(allowed, 0, 2 * HELD));
        bytes memory route = _at(hops[kind % 5]);
        vm.prank(EXECUTOR);
        try bot.swap(
            address(give), bound(amount, 0, 2 * HELD), address(get), 0, block.timestamp, route
        ) {}
            catch {}
        same(give.balanceOf(OTHER), HELD, "another's money");
        same(give.allowance(OTHER, address(bot)), HELD, "another's allowance");
        _keepsItsCapital();
    }

    function test_allowance_cannotBeDrainedByAnotherExecutorOrAStranger() public {
        _allow(give, 1 ether);
        bytes memory route = _at(Build.solidly(address(away), address(0)));
        vm.expectRevert();
        vm.prank(OTHER);
        bot.swap(address(give), 1 ether, address(get), 0, block.timestamp, route);
        vm.expectPartialRevert(IRoles.NotExecutor.selector);
        away.callFor(
            address(bot),
            abi.encodeCall(
                IFlashArbitrage.swap,
                (address(give), 1 ether, address(get), 0, block.timestamp, route)
            )
        );
        same(give.balanceOf(EXECUTOR), HELD, "nothing was taken");
    }

    // HELPERS

    function _pool(PlainToken tokenIn, PlainToken tokenOut, uint256 percent)
        private
        returns (FakePool made)
    {
        made = new FakePool(address(tokenIn), address(tokenOut), percent);
        tokenOut.transfer(address(made), 1e24);
    }

    function _at(bytes memory hops) private view returns (bytes memory) {
        return bytes.concat(Build.chain(), hops);
    }

    function _allow(PlainToken token, uint256 amount) private {
        vm.prank(EXECUTOR);
        token.approve(address(bot), amount);
    }

    function _swap(PlainToken from, PlainToken to, bytes memory route)
        private
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

    function _cheats(FakePool.Cheat how, bytes memory route, bytes4 why) private {
        away.set(how, 0, accomplice);
        _reverts(give, get, route, why);
        away.set(FakePool.Cheat.NONE, 0, accomplice);
    }

    function _reverts(PlainToken from, PlainToken to, bytes memory route, bytes4 why) private {
        _allow(from, 1 ether);
        uint256 had = from.balanceOf(EXECUTOR);
        if (why == 0) vm.expectRevert();
        else vm.expectPartialRevert(why);
        vm.prank(EXECUTOR);
        bot.swap(address(from), 1 ether, address(to), 1, block.timestamp, route);
        same(from.balanceOf(EXECUTOR), had, "nothing was taken");
        _keepsItsCapital();
    }

    function _keepsItsCapital() private view {
        same(give.balanceOf(address(bot)), HELD, "capital");
        same(get.balanceOf(address(bot)), HELD, "other capital");
        same(give.allowance(address(bot), address(away)), 0, "allowed");
    }
}
