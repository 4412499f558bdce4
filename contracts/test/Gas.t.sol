// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IPair} from "../src/interfaces/IProtocols.sol";
import {Bare} from "./support/Bare.sol";
import {Build} from "./support/Build.sol";
import {World} from "./support/World.sol";

/// What routes cost, each in a transaction of its own (`--isolate`), with what it is sent as and what is
/// refunded: written to snapshots/routes.json, beside the bare cost of the same swaps and transfers.
contract GasTest is World {
    uint256 private constant AMOUNT = 5 ether;
    uint256 private constant LEAST_GAS_ISOLATED = 100_000;
    Bare private bare;

    function setUp() public override {
        super.setUp();
        bare = new Bare();
        // Whoever is paid has been paid before, as after the first day.
        give(weth, RECOVERY, 1 ether);
        give(usdc, RECOVERY, 1e6);
        makeDear();
        // Pools that have been traded at before, in an earlier block: every slot is in use.
        _warm();
        // One second for all, as a byte of the deadline that is zero costs less.
        vm.warp(2_000_000_000);
    }

    function _warm() private {
        give(weth, address(this), 1 ether);
        swapAtPair(fork, weth, usdc, 1 ether, 1_000);
        bytes[4] memory homes = [
            _v3(),
            _v4(),
            Build.balancer(vault, address(0), weighted),
            bytes.concat(
                Build.v4(manager, usdt, 100, 1, 0),
                Build.concentrated(pool("uniswap_v3_usdt_weth_3000"), address(0))
            )
        ];
        for (uint256 i; i < homes.length; ++i) {
            execute(weth, 1 ether, dearThen(Build.firstHop(), homes[i]));
        }
    }

    function test_gas_pairThenConcentrated() public {
        _measure("V2 > V3, V2 on credit", Build.firstHop(), _v3());
        _bare("bare V2 > V3", false);
    }

    function test_gas_pairThenPair() public {
        _measure("V2 > V2, V2 on credit", Build.firstHop(), Build.pair(fork, address(0), 1_000));
        _bare("bare V2 > V2", true);
    }

    function test_gas_concentratedThenPair() public {
        give(weth, address(this), 200 ether);
        swapAtPair(pairV2, weth, usdc, 150 ether, 3_000);
        uint256 before = vm.snapshotState();
        bytes memory route = bytes.concat(
            Build.firstHop(),
            Build.concentrated(poolV3, usdc),
            Build.pair(pairV2, address(0), 3_000)
        );
        _send("V3 > V2, V3 on credit", route);
        vm.revertToState(before);
        (uint256 out, uint256 back) = _amounts(true);
        bare.byPool(Bare.Terms(weth, usdc, poolV3, pairV2, AMOUNT, out, back, RECOVERY));
        vm.snapshotGasLastCall("routes", "bare V3 > V2");
    }

    function test_gas_pairThenV4() public {
        _measure("V2 > V4 (coin), V2 on credit", Build.firstHop(), _v4());
    }

    function test_gas_pairThenBalancer() public {
        _measure(
            "V2 > Balancer, V2 on credit",
            Build.firstHop(),
            Build.balancer(vault, address(0), weighted)
        );
    }

    function test_gas_onALoanOfAave() public {
        _measure("V2 > V3, Aave's loan", Build.aave(aave, uint128(AMOUNT)), _v3());
    }

    function test_gas_onALoanOfBalancer() public {
        _measure("V2 > V3, Balancer's loan", Build.vault(vault, 0), _v3());
    }

    function test_gas_onALoanOfAPair() public {
        uint128 fee = uint128(AMOUNT * 3 / 997 + 1);
        address lender = pool("uniswap_v2_wbtc_weth_3000");
        _measure("V2 > V3, V2's loan", Build.pairLoan(lender, false, fee), _v3());
    }

    function test_gas_onALoanOfV3() public {
        address lender = pool("uniswap_v3_wbtc_weth_3000");
        _measure("V2 > V3, V3's loan", Build.flash(lender, false, uint128(AMOUNT)), _v3());
    }

    function test_gas_onALoanOfV4() public {
        _measure("V2 > V3, V4's loan", Build.manager(manager), _v3());
    }

    function test_gas_onWhatItHolds() public {
        give(weth, address(bot), AMOUNT);
        _measure("V2 > V3, own", Build.own(), _v3());
    }

    function test_gas_threeHops() public {
        bytes memory home = bytes.concat(
            Build.v4(manager, usdt, 100, 1, 0),
            Build.concentrated(pool("uniswap_v3_usdt_weth_3000"), address(0))
        );
        _measure("V2 > V4 > V3, V2 on credit", Build.firstHop(), home);
    }

    function test_gas_swaps() public {
        give(weth, EXECUTOR, 2 * AMOUNT);
        give(usdc, EXECUTOR, 1e6);
        _swap("swap V2", Build.pair(pairV2, address(0), 3_000));
        _swap("swap V3", Build.concentrated(poolV3, address(0)));
        _swap("swap V4 (coin)", Build.v4(manager, address(0), 500, 10, 0x10));
        _swap("swap Balancer", Build.balancer(vault, address(0), weighted));
        bytes memory hops = bytes.concat(
            Build.concentrated(pool("uniswap_v3_usdt_weth_3000"), usdt),
            Build.v4(manager, address(0), 100, 1, 0)
        );
        _swap("swap V3 > V4", hops);
        vm.prank(EXECUTOR);
        IERC20(weth).approve(address(bare), AMOUNT);
        vm.snapshotGasLastCall("routes", "allowance for a swap");
        uint256 out = _gives(pairV2, weth, AMOUNT, 3_000);
        vm.prank(EXECUTOR);
        bare.swap(weth, usdc, pairV2, AMOUNT, out);
        vm.snapshotGasLastCall("routes", "bare swap V2");
    }

    function _swap(string memory name, bytes memory hops) private {
        uint256 before = vm.snapshotState();
        vm.prank(EXECUTOR);
        IERC20(weth).approve(address(bot), AMOUNT);
        bytes memory route = bytes.concat(Build.chain(), hops);
        vm.prank(EXECUTOR);
        bot.swap(weth, AMOUNT, usdc, 1, block.timestamp, route);
        vm.snapshotGasLastCall("routes", name);
        vm.revertToState(before);
    }

    function _v3() private view returns (bytes memory) {
        return Build.concentrated(poolV3, address(0));
    }

    function _v4() private view returns (bytes memory) {
        return Build.v4(manager, address(0), 500, 10, 0x20);
    }

    function _measure(string memory name, bytes memory source, bytes memory home) private {
        uint256 before = vm.snapshotState();
        _send(name, dearThen(source, home));
        vm.revertToState(before);
    }

    function _send(string memory name, bytes memory route) private {
        vm.prank(EXECUTOR);
        bot.execute(weth, AMOUNT, 1, block.timestamp, 0, route);
        vm.snapshotGasLastCall("routes", name);
    }

    function _bare(string memory name, bool isSecondPair) private {
        (uint256 out, uint256 back) = _amounts(false);
        address second = isSecondPair ? fork : poolV3;
        bare.byPair(
            Bare.Terms(weth, usdc, pairV2, second, AMOUNT, out, back, RECOVERY), isSecondPair
        );
        vm.snapshotGasLastCall("routes", name);
    }

    /// What the first swap gives, and the second one if it is a pair.
    function _amounts(bool isPoolFirst) private returns (uint256 out, uint256 back) {
        uint256 before = vm.snapshotState();
        if (isPoolFirst) {
            give(weth, address(bot), AMOUNT);
            out = _outOfPool();
            back = _gives(pairV2, usdc, out, 3_000);
        } else {
            out = _gives(pairV2, weth, AMOUNT, 3_000);
            back = _gives(fork, usdc, out, 1_000);
        }
        vm.revertToState(before);
    }

    function _outOfPool() private returns (uint256 out) {
        address quoter = vm.parseJsonAddress(places, ".contracts.v3_quoter");
        (bool ok, bytes memory said) = quoter.call(
            abi.encodeWithSignature(
                "quoteExactInputSingle((address,address,uint256,uint24,uint160))",
                weth,
                usdc,
                AMOUNT,
                500,
                0
            )
        );
        holds(ok, "no quote");
        out = abi.decode(said, (uint256));
    }

    function _gives(address pair, address from, uint256 amount, uint256 fee)
        private
        view
        returns (uint256)
    {
        (uint256 reserveIn, uint256 reserveOut,) = IPair(pair).getReserves();
        address to = from == weth ? usdc : weth;
        if (from > to) (reserveIn, reserveOut) = (reserveOut, reserveIn);
        uint256 after_ = amount * (1_000_000 - fee);
        return after_ * reserveOut / (reserveIn * 1_000_000 + after_);
    }
}
