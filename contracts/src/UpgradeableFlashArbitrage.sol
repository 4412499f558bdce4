// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {FlashArbitrage} from "./FlashArbitrage.sol";
import {IUpgradeable} from "./interfaces/IUpgradeable.sol";

/// @title FlashArbitrage behind an ERC-1967 proxy
/// @dev The proxy's constructor calls `initialize`, so nobody can come in between. Coin and recovery address
/// are in the code, so a new implementation is announced with those that it will have.
contract UpgradeableFlashArbitrage is IUpgradeable, FlashArbitrage, Initializable, UUPSUpgradeable {
    // CONSTANTS

    /// @inheritdoc IUpgradeable
    uint256 public constant DELAY = 2 days;

    // STORAGE

    /// @inheritdoc IUpgradeable
    address public announced;
    /// @inheritdoc IUpgradeable
    uint64 public readyAt;
    /// @inheritdoc IUpgradeable
    bool public isFinal;
    /// @inheritdoc IUpgradeable
    bytes32 public announcedCodeHash;

    // CONSTRUCTOR

    constructor(address wrapped, address recovery) FlashArbitrage(wrapped, recovery, address(0)) {
        _disableInitializers();
    }

    /// @inheritdoc IUpgradeable
    function initialize(address owner_) external initializer {
        if (owner_ == address(0)) revert ZeroAddress();
        _setOwner(owner_);
    }

    // OWNER AND GUARDIANS

    /// @inheritdoc IUpgradeable
    function announceUpgrade(address implementation) external onlyOwner {
        if (isFinal) revert UpgradesRenounced();
        if (implementation.code.length == 0) revert NoCode(implementation);
        announced = implementation;
        announcedCodeHash = implementation.codehash;
        readyAt = uint64(block.timestamp + DELAY);
        emit UpgradeAnnounced(implementation, announcedCodeHash, readyAt);
    }

    /// @inheritdoc IUpgradeable
    function cancelUpgrade() external onlyGuardian {
        emit UpgradeCancelled(announced);
        delete announced;
    }

    /// @inheritdoc IUpgradeable
    function renounceUpgrades() external onlyOwner {
        isFinal = true;
        delete announced;
        emit UpgradesEnded();
    }

    // INTERNAL

    /// @dev What UUPSUpgradeable asks before it changes the implementation.
    function _authorizeUpgrade(address implementation) internal override onlyOwner {
        if (isFinal) revert UpgradesRenounced();
        if (implementation == address(0) || implementation != announced) {
            revert NotAnnounced(implementation);
        }
        if (block.timestamp < readyAt) revert TooEarly(readyAt, block.timestamp);
        if (implementation.codehash != announcedCodeHash) revert NotAnnounced(implementation);
        delete announced;
    }
}
