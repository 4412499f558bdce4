// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

/// What is asked of forge.
interface Vm {
    function assume(bool condition) external pure;
    function chainId(uint256 id) external;
    function coinbase(address builder) external;
    function deal(address who, uint256 amount) external;
    function envOr(string calldata name, bool otherwise) external view returns (bool);
    function etch(address who, bytes calldata code) external;
    function expectPartialRevert(bytes4 selector) external;
    function expectRevert() external;
    function expectRevert(bytes calldata words) external;
    function loadAllocs(string calldata path) external;
    function lastCallGas() external view returns (Gas memory);
    function mockCall(address to, bytes calldata data, bytes calldata returned) external;
    function parseJsonAddress(string calldata json, string calldata key)
        external
        pure
        returns (address);
    function parseJsonBytes(string calldata json, string calldata key)
        external
        pure
        returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key)
        external
        pure
        returns (bytes32);
    function parseJsonBool(string calldata json, string calldata key) external pure returns (bool);
    function parseJsonString(string calldata json, string calldata key)
        external
        pure
        returns (string memory);
    function parseJsonUint(string calldata json, string calldata key)
        external
        pure
        returns (uint256);
    function getCode(string calldata name) external view returns (bytes memory);
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool);
    function prank(address sender) external;
    function readFile(string calldata path) external view returns (string memory);
    function snapshotGasLastCall(string calldata group, string calldata name)
        external
        returns (uint256);
    function revertToState(uint256 id) external returns (bool);
    function snapshotState() external returns (uint256 id);
    function store(address who, bytes32 slot, bytes32 value) external;
    function toString(uint256 value) external pure returns (string memory);
    function warp(uint256 timestamp) external;

    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }
}

/// Says whether a test holds.
abstract contract Check {
    bool public constant IS_TEST = true;
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    error Unequal(string what, uint256 actual, uint256 expected);
    error Untrue(string what);

    function same(uint256 actual, uint256 expected, string memory what) internal pure {
        if (actual != expected) revert Unequal(what, actual, expected);
    }

    function same(address actual, address expected, string memory what) internal pure {
        same(uint160(actual), uint160(expected), what);
    }

    function holds(bool condition, string memory what) internal pure {
        if (!condition) revert Untrue(what);
    }

    /// Deploys our contract: for `make test` as the repository has it built, which saves the compiler a minute;
    /// else as forge builds it here.
    function deployed(string memory name, bytes memory words) internal returns (address made) {
        bytes memory code = vm.envOr("USES_ARTIFACTS", false)
            ? vm.parseJsonBytes(
                vm.readFile(string.concat("artifacts/", name, ".json")), ".bytecode"
            )
            : vm.getCode(string.concat(name, ".sol:", name));
        code = bytes.concat(code, words);
        assembly {
            made := create(0, add(code, 32), mload(code))
            if iszero(made) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    function bound(uint256 value, uint256 least, uint256 most) internal pure returns (uint256) {
        return least + value % (most - least + 1);
    }
}
