// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

/// @title Who may do what
/// @notice The owner appoints; executors send routes; any guardian may stop them. None of the three
/// can name a place where money goes: that is fixed in the code.
interface IRoles {
    error NotOwner(address caller);
    error NotPendingOwner(address caller);
    error NotExecutor(address caller);
    error NotGuardian(address caller);
    error IsPaused();

    event OwnerProposed(address indexed proposed);
    event OwnerChanged(address indexed from, address indexed to);
    event ExecutorSet(address indexed executor, bool may);
    event GuardianSet(address indexed guardian, bool may);
    event Paused(address indexed by);
    event Unpaused(address indexed by);

    /// @notice Who appoints executors and guardians and lets a paused contract run again.
    function owner() external view returns (address);

    /// @notice Who becomes the owner by accepting it; nobody if zero.
    function pendingOwner() external view returns (address);

    /// @notice Whether routes are refused.
    function isPaused() external view returns (bool);

    /// @notice Whether an account may send routes.
    function isExecutor(address account) external view returns (bool);

    /// @notice Whether an account may pause, withdraw to the recovery address, and revoke.
    function isGuardian(address account) external view returns (bool);

    /// @notice Proposes a new owner; nothing changes until that one accepts. Zero takes it back.
    function transferOwnership(address proposed) external;

    /// @notice Makes the caller the owner, if proposed.
    function acceptOwnership() external;

    /// @notice Lets an account send routes, or not any more.
    function setExecutor(address executor, bool may) external;

    /// @notice Makes an account a guardian, or not any more.
    function setGuardian(address guardian, bool may) external;

    /// @notice Refuses routes from now on. Any guardian may, and the owner.
    function pause() external;

    /// @notice Takes routes again. Only the owner may.
    function unpause() external;
}
