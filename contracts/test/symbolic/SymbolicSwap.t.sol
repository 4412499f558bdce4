// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {FlashArbitrage} from "../../src/FlashArbitrage.sol";
import {IFlashArbitrage} from "../../src/interfaces/IFlashArbitrage.sol";
import {Build} from "../support/Build.sol";
import {Check} from "../support/Check.sol";
import {PlainToken} from "../support/Tokens.sol";
import {AnyPool} from "./Symbolic.t.sol";

/// Takes any amount of what one account moves or is given.
contract TollToken is PlainToken {
    address private payer;
    uint256 private toll;

    function set(address payer_, uint256 toll_) external {
        (payer, toll) = (payer_, toll_);
    }

    function _move(address from, address to, uint256 value) internal override {
        uint256 taken = from == payer || to == payer ? toll : 0;
        super._move(from, to, value - taken);
        super._move(from, address(this), taken);
    }
}

/// For all amounts at once (halmos): `make contracts PARTS=halmos`.
contract SymbolicSwapTest is Check {
    address private constant EXECUTOR = address(0xE0EC);
    address private constant OTHER = address(0x07E4);
    address private constant RECOVERY = address(0x4EC0);
    uint256 private constant HAS = 1e29;
    PlainToken private asset;
    PlainToken private middle;
    TollToken private other;
    FlashArbitrage private bot;

    function setUp() public {
        asset = new PlainToken();
        middle = new PlainToken();
        other = new TollToken();
        bot = new FlashArbitrage(address(asset), RECOVERY, address(this));
        bot.setExecutor(OTHER, true);
        bot.setExecutor(EXECUTOR, true);
        asset.transfer(EXECUTOR, HAS);
        // Another executor has allowed the contract all that it has.
        asset.transfer(OTHER, HAS);
        vm.prank(OTHER);
        asset.approve(address(bot), type(uint256).max);
    }

    /// 1, 3, 14 and 15 of Invariants.md
    function check_swap_takesWhatIsSaidAndGivesTheLeast(
        uint96 held,
        uint96 amount,
        uint96 allowed,
        uint96 out,
        uint256 least
    ) public {
        asset.transfer(address(bot), held);
        AnyPool away = _pool(asset, other, out);
        bytes memory route = _at(Build.curve(address(away), address(0), 0, 1, false));
        bool ok = _swaps(amount, allowed, least, route);
        if (ok) {
            assert(allowed == amount);
            assert(out >= least);
            assert(other.balanceOf(EXECUTOR) == out);
            assert(asset.balanceOf(EXECUTOR) == HAS - uint256(amount));
            assert(asset.allowance(EXECUTOR, address(bot)) == 0);
        } else {
            assert(other.balanceOf(EXECUTOR) == 0);
            assert(asset.balanceOf(EXECUTOR) == HAS);
            assert(asset.allowance(EXECUTOR, address(bot)) == allowed);
        }
        assert(asset.balanceOf(address(bot)) == held);
        assert(other.balanceOf(address(bot)) == 0);
        assert(asset.allowance(address(bot), address(away)) == 0);
        assert(asset.balanceOf(OTHER) == HAS);
        assert(asset.allowance(OTHER, address(bot)) == type(uint256).max);
        assert(asset.balanceOf(RECOVERY) == 0 && other.balanceOf(RECOVERY) == 0);
    }

    /// 9 of Invariants.md: it is done if, and only if, an executor asks in time, here, while it runs.
    function check_swap_isDoneForAnExecutorInTimeOnThisChainWhileNotPaused(
        address caller,
        bool isPaused,
        uint64 deadline,
        uint64 chain
    ) public {
        vm.assume(caller != address(this) && caller != address(bot) && caller != OTHER);
        AnyPool away = _pool(asset, other, 1 ether);
        vm.assume(caller != address(away));
        asset.transfer(caller, 1 ether);
        if (isPaused) bot.pause();
        vm.prank(caller);
        asset.approve(address(bot), 1 ether);
        bytes memory hops = Build.curve(address(away), address(0), 0, 1, false);
        vm.prank(caller);
        (bool ok,) = address(bot)
            .call(
                abi.encodeCall(
                    IFlashArbitrage.swap,
                    (
                        address(asset),
                        1 ether,
                        address(other),
                        1 ether,
                        deadline,
                        abi.encodePacked(chain, hops)
                    )
                )
            );
        bool may = caller == EXECUTOR && !isPaused && deadline >= block.timestamp
            && chain == block.chainid;
        assert(ok == may);
    }

    /// 1 and 14 of Invariants.md, where a token takes any part of what comes here and goes from here.
    function check_swap_givesTheLeastWhateverATokenTakes(
        uint96 held,
        uint96 out,
        uint96 toll,
        uint256 least
    ) public {
        other.transfer(address(bot), held);
        AnyPool away = _pool(asset, other, out);
        other.set(address(bot), toll);
        bytes memory route = _at(Build.curve(address(away), address(0), 0, 1, false));
        bool ok = _swaps(1 ether, 1 ether, least, route);
        assert(!ok || other.balanceOf(EXECUTOR) >= least);
        assert(ok || other.balanceOf(EXECUTOR) == 0);
        assert(other.balanceOf(address(bot)) == held);
        assert(asset.balanceOf(address(bot)) == 0);
    }

    /// 1 and 8 of Invariants.md: the second pool is paid what came of the first, whatever is held.
    function check_swap_throughTwoPoolsSpendsWhatCame(uint96 held, uint96 came, uint96 out) public {
        middle.transfer(address(bot), held);
        AnyPool away = _pool(asset, middle, came);
        AnyPool home = _pool(middle, other, out);
        bytes memory route = _at(
            bytes.concat(
                Build.curve(address(away), address(middle), 0, 1, false),
                Build.curve(address(home), address(0), 0, 1, true)
            )
        );
        bool ok = _swaps(1 ether, 1 ether, 0, route);
        assert(middle.balanceOf(address(bot)) == held);
        assert(middle.balanceOf(address(home)) == (ok ? came : 0));
        assert(other.balanceOf(EXECUTOR) == (ok ? out : 0));
        assert(middle.allowance(address(bot), address(home)) == 0);
    }

    // HELPERS

    function _pool(PlainToken from, PlainToken to, uint256 gives) private returns (AnyPool made) {
        made = new AnyPool(from, to);
        to.transfer(address(made), HAS);
        made.set(gives);
    }

    function _at(bytes memory hops) private view returns (bytes memory) {
        return bytes.concat(Build.chain(), hops);
    }

    function _swaps(uint256 amount, uint256 allowed, uint256 least, bytes memory route)
        private
        returns (bool ok)
    {
        vm.prank(EXECUTOR);
        asset.approve(address(bot), allowed);
        vm.prank(EXECUTOR);
        (ok,) = address(bot)
            .call(
                abi.encodeCall(
                    IFlashArbitrage.swap,
                    (address(asset), amount, address(other), least, block.timestamp, route)
                )
            );
    }
}
