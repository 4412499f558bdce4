// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {FlashArbitrage} from "../src/FlashArbitrage.sol";
import {FakePool} from "./attacks/Pools.sol";
import {Build} from "./support/Build.sol";
import {World} from "./support/World.sol";

/// Whoever has an executor's key and means no good, at a contract that holds capital, on the real pools.
contract InvariantTest is World {
    uint256 private constant HELD_WETH = 50 ether;
    uint256 private constant HELD_USDC = 100_000e6;
    address private constant OTHER = address(0x07E4);
    FakePool[] private fakes;
    uint256 private giftsWeth;
    uint256 private kept;
    uint256 public earned;
    uint256 public refused;
    uint256 private leftByHonestRoutes;
    uint256 public traded;
    uint256 private brokenSwaps;

    function setUp() public override {
        super.setUp();
        makeDear();
        give(weth, address(bot), HELD_WETH);
        give(usdc, address(bot), HELD_USDC);
        // Another account that may send routes, which has allowed the contract all that it has.
        give(weth, OTHER, HELD_WETH);
        vm.prank(OTHER);
        IERC20(weth).approve(address(bot), type(uint256).max);
        vm.prank(OWNER);
        bot.setExecutor(OTHER, true);
        vm.prank(OWNER);
        bot.setExecutor(EXECUTOR, true);
        address[2] memory tokens = [weth, usdc];
        for (uint256 i; i < 4; ++i) {
            fakes.push(new FakePool(tokens[i % 2], tokens[1 - i % 2], i < 2 ? 100 : 3));
            give(weth, address(fakes[i]), 1_000 ether);
            give(usdc, address(fakes[i]), 10_000_000e6);
        }
    }

    /// What forge calls at random.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(this);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        bytes4[] memory chosen = new bytes4[](7);
        chosen[0] = this.route.selector;
        chosen[1] = this.cheat.selector;
        chosen[2] = this.noise.selector;
        chosen[3] = this.gift.selector;
        chosen[4] = this.callback.selector;
        chosen[5] = this.trade.selector;
        chosen[6] = this.swap.selector;
        targets[0] = FuzzSelector(address(this), chosen);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// A route as the engine sends them.
    function route(uint256 seed, uint256 amount, uint256 tipBps) public {
        bytes[5] memory sources = [
            Build.own(),
            Build.firstHop(),
            Build.aave(aave, 1 ether),
            Build.vault(vault, 0),
            Build.manager(manager)
        ];
        bytes[4] memory homes = [
            Build.pair(fork, address(0), 1_000),
            Build.concentrated(poolV3, address(0)),
            Build.v4(manager, address(0), 500, 10, 0x20),
            Build.balancer(vault, address(0), weighted)
        ];
        bytes memory some = dearThen(sources[seed % 5], homes[(seed >> 8) % 4]);
        uint256 before = _holds();
        _send(weth, some, bound(amount, 1e9, 10 ether), tipBps % 10_001);
        if (_holds() != before) leftByHonestRoutes += 1;
    }

    /// Any route, through pools that may be fakes.
    function _stray(uint256 seed, uint256 amount) private {
        bool isDollars = seed % 4 == 0;
        _send(isDollars ? usdc : weth, _random(seed), bound(amount, 1, 60 ether), 0);
    }

    /// A token of the caller's for another one, through pools that may be fakes; what is allowed may be wrong.
    function swap(uint256 seed, uint256 amount, uint256 least, uint8 how) public {
        (address from, address to) = seed % 2 == 0 ? (weth, usdc) : (usdc, weth);
        amount = bound(amount, 1, from == weth ? 10 ether : 30_000e6);
        FakePool fake = fakes[seed % 4];
        fake.set(FakePool.Cheat(how % 3 == 0 ? how % 10 : 0), seed % 3, fakes[(seed + 1) % 4]);
        give(from, EXECUTOR, amount);
        vm.prank(EXECUTOR);
        IERC20(from).approve(address(bot), seed % 7 == 0 ? amount + seed % 2 : amount);
        bytes memory some = bytes.concat(Build.chain(), _hop(seed >> 8, address(fake), to));
        if (seed % 5 == 0) {
            bytes memory there = _hop(seed >> 16, address(fakes[(seed + 1) % 4]), from);
            some = bytes.concat(some, there, _hop(seed >> 24, address(fake), to));
        }
        _swap(from, amount, to, bound(least, 0, 1e6), some);
    }

    function _swap(address from, uint256 amount, address to, uint256 least, bytes memory some)
        private
    {
        (uint256 gave, uint256 got) = (balance(from, EXECUTOR), balance(to, EXECUTOR));
        vm.prank(EXECUTOR);
        try bot.swap(from, amount, to, least, block.timestamp, some) returns (uint256 out) {
            traded += 1;
            bool isExact = balance(from, EXECUTOR) + amount == gave;
            if (!isExact || balance(to, EXECUTOR) != got + out || out < least) brokenSwaps += 1;
            if (IERC20(from).allowance(EXECUTOR, address(bot)) != 0) brokenSwaps += 1;
        } catch {
            refused += 1;
            if (balance(from, EXECUTOR) != gave || balance(to, EXECUTOR) != got) brokenSwaps += 1;
        }
    }

    /// Somebody makes the coin dear again.
    function trade(uint256 amount) public {
        amount = bound(amount, 10_000e6, 100_000e6);
        give(usdc, address(this), amount);
        swapAtPair(pairV2, usdc, weth, amount, 3_000);
    }

    function cheat(uint256 seed, uint256 amount, uint8 how, uint8 who) public {
        fakes[who % 4].set(FakePool.Cheat(how % 10), seed % 3, fakes[(who + 1) % 4]);
        _stray(seed, amount);
    }

    /// A route with one byte changed.
    function noise(uint256 seed, uint256 at, bytes1 other) public {
        bytes memory some = _random(seed);
        some[at % some.length] = other;
        _send(weth, some, 1 ether, 0);
    }

    function gift(uint256 amount) public {
        amount = bound(amount, 0, 10 ether);
        give(weth, address(bot), amount);
        giftsWeth += amount;
    }

    function callback(uint256 who, bytes calldata data) public {
        vm.prank(address(fakes[who % 4]));
        (bool ok,) = address(bot).call(data);
        holds(!ok || data.length == 0 || _isHarmless(bytes4(data)), "a stranger was let in");
    }

    /// Else nothing would be tried by random calls.
    function test_route_oftenEarns() public {
        for (uint256 i; i < 100; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            route(seed, seed >> 16, seed >> 32);
            _stray(seed, seed >> 16);
            if (i % 4 == 0) trade(seed >> 8);
            swap(seed >> 40, seed >> 48, 1, 1);
        }
        holds(earned >= 30, string.concat("of 200 earned ", vm.toString(earned)));
        holds(traded >= 30, string.concat("of 100 traded ", vm.toString(traded)));
        invariant_whatWasHeldIsHeld();
        invariant_aSwapTakesWhatIsSaidAndGivesTheLeast();
        invariant_ofNobodyElseAnythingIsTaken();
        invariant_honestRoutesLeaveNothing();
        invariant_nobodyIsAllowedAnything();
        invariant_whatWasGainedIsAtTheRecoveryAddress();
    }

    /// 1 of Invariants.md; a pool that is none may leave gifts.
    function invariant_whatWasHeldIsHeld() public view {
        holds(balance(weth, address(bot)) >= HELD_WETH + giftsWeth, "coins");
        holds(balance(usdc, address(bot)) >= HELD_USDC, "dollars");
    }

    /// 2 of Invariants.md
    function invariant_honestRoutesLeaveNothing() public view {
        same(leftByHonestRoutes, 0, "routes that left something");
    }

    /// 14 of Invariants.md
    function invariant_aSwapTakesWhatIsSaidAndGivesTheLeast() public view {
        same(brokenSwaps, 0, "swaps that were otherwise");
    }

    /// 15 of Invariants.md
    function invariant_ofNobodyElseAnythingIsTaken() public view {
        same(balance(weth, OTHER), HELD_WETH, "another's money");
    }

    function _holds() private view returns (uint256 all) {
        address[4] memory tokens = [weth, usdc, usdt, dai];
        for (uint256 i; i < 4; ++i) {
            all += balance(tokens[i], address(bot));
        }
        all += address(bot).balance;
    }

    /// 3 of Invariants.md
    function invariant_nobodyIsAllowedAnything() public view {
        address[4] memory tokens = [weth, usdc, usdt, dai];
        for (uint256 i; i < 4; ++i) {
            same(IERC20(tokens[i]).allowance(address(bot), vault), 0, "vault");
            same(IERC20(tokens[i]).allowance(address(bot), aave), 0, "aave");
            for (uint256 j; j < 4; ++j) {
                same(IERC20(tokens[i]).allowance(address(bot), address(fakes[j])), 0, "fake");
            }
        }
    }

    /// 4 of Invariants.md
    function invariant_whatWasGainedIsAtTheRecoveryAddress() public view {
        same(balance(weth, RECOVERY) + balance(usdc, RECOVERY), kept, "kept");
    }

    function _send(address asset, bytes memory some, uint256 amount, uint256 tipBps) private {
        vm.coinbase(address(0xB11D));
        vm.prank(EXECUTOR);
        try bot.execute(asset, amount, 0, block.timestamp, tipBps, some) returns (
            uint256 gain, uint256 tip
        ) {
            kept += gain - tip;
            earned += 1;
        } catch {
            refused += 1;
        }
    }

    function _random(uint256 seed) private view returns (bytes memory some) {
        address fake = address(fakes[seed % 4]);
        bytes[8] memory sources = [
            Build.own(),
            Build.firstHop(),
            Build.aave(aave, 1 ether),
            Build.vault(vault, 1 ether),
            Build.manager(manager),
            Build.manager(fake),
            Build.flash(fake, true, 1 ether),
            Build.pairLoan(fake, true, 1 ether)
        ];
        some = sources[(seed >> 8) % 8];
        uint256 count = (seed >> 16) % 3;
        for (uint256 i; i <= count; ++i) {
            some = bytes.concat(some, _hop(seed >> (24 + 16 * i), fake, usdc));
            some = bytes.concat(
                some, _hop(seed >> (32 + 16 * i), fake, i == count ? address(0) : weth)
            );
        }
    }

    function _hop(uint256 seed, address fake, address to) private view returns (bytes memory) {
        uint256 kind = seed % 12;
        if (kind == 0) return Build.pair(pairV2, to, 3_000);
        if (kind == 1) return Build.pair(fork, to, 1_000);
        if (kind == 2) return Build.concentrated(poolV3, to);
        if (kind == 3) return Build.v4(manager, to, 500, 10, to == usdc ? 0x10 : 0x20);
        if (kind == 4) return Build.balancer(vault, to, weighted);
        if (kind == 5) return Build.pair(fake, to, 0);
        if (kind == 6) return Build.concentrated(fake, to);
        if (kind == 7) return Build.solidly(fake, to);
        if (kind == 8) return Build.v4(fake, to, 500, 10, 0);
        if (kind == 9) return Build.balancer(fake, to, weighted);
        return Build.curve(fake, to, 0, 1, kind == 10);
    }

    /// Reading, and what anybody may call.
    function _isHarmless(bytes4 selector) private view returns (bool) {
        return selector == bot.owner.selector || selector == bot.isPaused.selector
            || selector == bot.pendingOwner.selector || selector == bot.isExecutor.selector
            || selector == bot.isGuardian.selector || selector == bot.WRAPPED.selector
            || selector == bot.RECOVERY.selector;
    }
}
