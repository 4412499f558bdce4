// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IRoles} from "./interfaces/IRoles.sol";

/// @title Owner, executors and guardians
abstract contract Roles is IRoles {
    // STORAGE

    /// @inheritdoc IRoles
    address public owner;
    /// @inheritdoc IRoles
    address public pendingOwner;
    /// The executor appointed last, in one slot with what every route looks at: it is known by that alone.
    address private _newestExecutor;
    /// @inheritdoc IRoles
    bool public isPaused;
    /// @inheritdoc IRoles
    mapping(address => bool) public isExecutor;
    /// @inheritdoc IRoles
    mapping(address => bool) public isGuardian;

    // MODIFIERS

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    modifier onlyGuardian() {
        if (!isGuardian[msg.sender] && msg.sender != owner) revert NotGuardian(msg.sender);
        _;
    }

    modifier onlyExecutor() {
        if (msg.sender != _newestExecutor && !isExecutor[msg.sender]) {
            revert NotExecutor(msg.sender);
        }
        if (isPaused) revert IsPaused();
        _;
    }

    // OWNER

    /// @inheritdoc IRoles
    function transferOwnership(address proposed) external onlyOwner {
        pendingOwner = proposed;
        emit OwnerProposed(proposed);
    }

    /// @inheritdoc IRoles
    function acceptOwnership() external {
        if (msg.sender != pendingOwner) revert NotPendingOwner(msg.sender);
        delete pendingOwner;
        _setOwner(msg.sender);
    }

    /// @inheritdoc IRoles
    function setExecutor(address executor, bool may) external onlyOwner {
        isExecutor[executor] = may;
        if (may) _newestExecutor = executor;
        else if (_newestExecutor == executor) delete _newestExecutor;
        emit ExecutorSet(executor, may);
    }

    /// @inheritdoc IRoles
    function setGuardian(address guardian, bool may) external onlyOwner {
        isGuardian[guardian] = may;
        emit GuardianSet(guardian, may);
    }

    /// @inheritdoc IRoles
    function unpause() external onlyOwner {
        isPaused = false;
        emit Unpaused(msg.sender);
    }

    // GUARDIANS

    /// @inheritdoc IRoles
    function pause() external onlyGuardian {
        isPaused = true;
        emit Paused(msg.sender);
    }

    // INTERNAL

    function _setOwner(address to) internal {
        emit OwnerChanged(owner, to);
        owner = to;
    }
}
