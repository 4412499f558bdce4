// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

/// @title A change of the code that everybody can see coming, and that can be given up for ever
interface IUpgradeable {
    error UpgradesRenounced();
    error NoCode(address implementation);
    error NotAnnounced(address implementation);
    error TooEarly(uint256 readyAt, uint256 now_);

    event UpgradeAnnounced(address indexed implementation, bytes32 codeHash, uint256 readyAt);
    event UpgradeCancelled(address indexed implementation);
    event UpgradesEnded();

    /// @notice Seconds between the announcement of an implementation and its earliest use.
    function DELAY() external view returns (uint256);

    /// @notice The implementation that is announced; none if zero.
    function announced() external view returns (address);

    /// @notice From which second (Unix time) on it may be used.
    function readyAt() external view returns (uint64);

    /// @notice Hash of its code when it was announced; with another one it may not be used.
    function announcedCodeHash() external view returns (bytes32);

    /// @notice Whether the code can never be changed any more.
    function isFinal() external view returns (bool);

    /// @notice Sets the first owner of a proxy, once.
    function initialize(address owner_) external;

    /// @notice Announces an implementation; in place of the one announced before, if any.
    function announceUpgrade(address implementation) external;

    /// @notice Takes the announcement back. Any guardian may, and the owner.
    function cancelUpgrade() external;

    /// @notice Gives up all changes of the code for ever.
    function renounceUpgrades() external;
}
