// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {FlashArbitrage} from "../src/FlashArbitrage.sol";
import {UpgradeableFlashArbitrage} from "../src/UpgradeableFlashArbitrage.sol";
import {IFlashArbitrage} from "../src/interfaces/IFlashArbitrage.sol";
import {IRoles} from "../src/interfaces/IRoles.sol";
import {IUpgradeable} from "../src/interfaces/IUpgradeable.sol";
import {Build} from "./support/Build.sol";
import {World} from "./support/World.sol";

contract UpgradeTest is World {
    UpgradeableFlashArbitrage private implementation;
    UpgradeableFlashArbitrage private proxy;
    UpgradeableFlashArbitrage private other;

    function makeBot() internal override returns (FlashArbitrage) {
        implementation = _made(RECOVERY);
        other = _made(address(0x07E4));
        bytes memory first = abi.encodeCall(IUpgradeable.initialize, (OWNER));
        proxy = UpgradeableFlashArbitrage(
            payable(address(new ERC1967Proxy(address(implementation), first)))
        );
        vm.prank(OWNER);
        proxy.setExecutor(EXECUTOR, true);
        vm.prank(OWNER);
        proxy.setGuardian(GUARDIAN, true);
        return proxy;
    }

    function _made(address recovery) private returns (UpgradeableFlashArbitrage) {
        bytes memory words = abi.encode(weth, recovery);
        return UpgradeableFlashArbitrage(payable(deployed("UpgradeableFlashArbitrage", words)));
    }

    function test_execute_behindAProxyEarnsTheSameAndTipsInCoins() public {
        makeDear();
        vm.coinbase(address(0xB11D));
        bytes memory route =
            dearThen(Build.firstHop(), Build.v4(manager, address(0), 500, 10, 0x20));
        vm.prank(EXECUTOR);
        (uint256 gain, uint256 tip) = proxy.execute(weth, 5 ether, 1, block.timestamp, 5_000, route);
        holds(tip > 0, "no tip");
        same(balance(weth, RECOVERY), gain - tip, "gain");
        nothingIsLeft();
    }

    function test_initialize_revertsASecondTimeAndAtTheImplementation() public {
        vm.expectPartialRevert(Initializable.InvalidInitialization.selector);
        proxy.initialize(STRANGER);
        vm.expectPartialRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(STRANGER);
        same(implementation.owner(), address(0), "the implementation has no owner");
    }

    function test_initialize_revertsWithoutAnOwner() public {
        vm.expectPartialRevert(IFlashArbitrage.ZeroAddress.selector);
        new ERC1967Proxy(
            address(implementation), abi.encodeCall(IUpgradeable.initialize, (address(0)))
        );
    }

    function test_upgrade_isPossibleTwoDaysAfterItWasAnnounced() public {
        _announce(address(other));
        vm.warp(block.timestamp + 2 days);
        vm.prank(OWNER);
        proxy.upgradeToAndCall(address(other), "");
        same(proxy.RECOVERY(), address(0x07E4), "code");
        same(proxy.owner(), OWNER, "storage stays");
        same(proxy.announced(), address(0), "it is used up");
    }

    function test_upgrade_revertsASecondEarlier() public {
        _announce(address(other));
        vm.warp(block.timestamp + 2 days - 1);
        _upgradeReverts(IUpgradeable.TooEarly.selector);
    }

    function test_upgrade_revertsUnlessAnnounced() public {
        _upgradeReverts(IUpgradeable.NotAnnounced.selector);
        _announce(address(implementation));
        vm.warp(block.timestamp + 2 days);
        _upgradeReverts(IUpgradeable.NotAnnounced.selector);
    }

    function test_upgrade_revertsIfItsCodeIsAnother() public {
        _announce(address(other));
        vm.warp(block.timestamp + 2 days);
        vm.etch(address(other), address(implementation).code);
        _upgradeReverts(IUpgradeable.NotAnnounced.selector);
    }

    function test_upgrade_revertsIfNotByTheOwner() public {
        _announce(address(other));
        vm.warp(block.timestamp + 2 days);
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotOwner.selector, EXECUTOR));
        vm.prank(EXECUTOR);
        proxy.upgradeToAndCall(address(other), "");
    }

    function test_upgrade_revertsPastTheProxy() public {
        vm.expectPartialRevert(UUPSUpgradeable.UUPSUnauthorizedCallContext.selector);
        implementation.upgradeToAndCall(address(other), "");
    }

    function test_cancelUpgrade_byAGuardianTakesItBack() public {
        _announce(address(other));
        vm.warp(block.timestamp + 2 days);
        vm.prank(GUARDIAN);
        proxy.cancelUpgrade();
        _upgradeReverts(IUpgradeable.NotAnnounced.selector);
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotGuardian.selector, STRANGER));
        vm.prank(STRANGER);
        proxy.cancelUpgrade();
    }

    function test_announceUpgrade_revertsWithoutCodeOrOwner() public {
        vm.expectRevert(abi.encodeWithSelector(IUpgradeable.NoCode.selector, address(0xDEAD)));
        vm.prank(OWNER);
        proxy.announceUpgrade(address(0xDEAD));
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotOwner.selector, GUARDIAN));
        vm.prank(GUARDIAN);
        proxy.announceUpgrade(address(other));
    }

    function test_announceUpgrade_anewBeginsTheDelayAnew() public {
        _announce(address(other));
        vm.warp(block.timestamp + 2 days - 1);
        _announce(address(other));
        vm.warp(block.timestamp + 2 days - 1);
        _upgradeReverts(IUpgradeable.TooEarly.selector);
    }

    function test_renounceUpgrades_endsThemForEver() public {
        _announce(address(other));
        vm.warp(block.timestamp + 2 days);
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotOwner.selector, GUARDIAN));
        vm.prank(GUARDIAN);
        proxy.renounceUpgrades();
        vm.prank(OWNER);
        proxy.renounceUpgrades();
        _upgradeReverts(IUpgradeable.UpgradesRenounced.selector);
        vm.expectPartialRevert(IUpgradeable.UpgradesRenounced.selector);
        vm.prank(OWNER);
        proxy.announceUpgrade(address(other));
    }

    function _announce(address what) private {
        vm.prank(OWNER);
        proxy.announceUpgrade(what);
    }

    function _upgradeReverts(bytes4 why) private {
        vm.expectPartialRevert(why);
        vm.prank(OWNER);
        proxy.upgradeToAndCall(address(other), "");
    }
}
