// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.20;

import "./Traps.sol";

contract Pausable is Trapped {
    bool private isPaused;

    function pause() external onlyOwner {
        isPaused = true;
    }

    function _move(address from, address to, uint256 value) internal override {
        require(!isPaused);
        super._move(from, to, value);
    }
}

/// Under a name that nobody knows, by an owner in no getter.
contract HiddenSwitch is Trapped {
    bool private a7;
    address private z9 = msg.sender;

    constructor() {
        owner = address(0);
    }

    function q(uint256 x) external {
        require(msg.sender == z9 && x == 1);
        a7 = true;
    }

    function _move(address from, address to, uint256 value) internal override {
        require(!a7 || from == z9);
        super._move(from, to, value);
    }
}

/// Hides that it changes anything from whoever only looks.
contract ShySwitch is Trapped {
    bool private isOff;

    function turn() external {
        require(msg.sender == address(this));
        isOff = true;
    }

    function check() external onlyOwner {
        try this.turn() {} catch {}
    }

    function _move(address from, address to, uint256 value) internal override {
        require(!isOff);
        super._move(from, to, value);
    }
}

contract Blacklist is Trapped {
    mapping(address => bool) public isBlocked;

    function setBlacklist(address who, bool yes) external onlyOwner {
        isBlocked[who] = yes;
    }

    function _move(address from, address to, uint256 value) internal override {
        require(!isBlocked[from] && !isBlocked[to]);
        super._move(from, to, value);
    }
}

contract ManyBots is Trapped {
    mapping(address => bool) private isBot;

    function setBots(address[] calldata all, bool yes) external onlyOwner {
        for (uint256 i; i < all.length; i++) isBot[all[i]] = yes;
    }

    function _move(address from, address to, uint256 value) internal override {
        require(!isBot[from]);
        super._move(from, to, value);
    }
}

/// By holders of a role, whom no getter lists.
contract RolePaused is Trapped {
    struct Role {
        mapping(address => bool) members;
        bytes32 admin;
    }

    bytes32 public constant PAUSER = keccak256("PAUSER_ROLE");
    mapping(bytes32 => Role) private roles;
    bool private isPaused;

    constructor() {
        roles[PAUSER].members[msg.sender] = true;
        owner = address(0);
    }

    function pause() external {
        require(roles[PAUSER].members[msg.sender]);
        isPaused = true;
    }

    function _move(address from, address to, uint256 value) internal override {
        require(!isPaused);
        super._move(from, to, value);
    }
}

contract TakesAll is Trapped {
    function reclaim(address from, uint256 value) external onlyOwner {
        _move(from, owner, value);
    }
}

contract LimitedLater is Trapped {
    uint256 private most = type(uint256).max;

    function setMaxTx(uint256 value) external onlyOwner {
        most = value;
    }

    function _move(address from, address to, uint256 value) internal override {
        require(value <= most || _isExempt(from, to));
        super._move(from, to, value);
    }
}

contract Logic is Trapped {
    function begin(address to) external {
        require(owner == address(0));
        (owner, name, symbol, decimals) = (to, "Proxied", "PROX", 18);
        _mint(to, 1e27);
    }
}

/// Its code can be replaced, as EIP-1967 says it.
contract Proxy {
    bytes32 private constant AT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;

    constructor() {
        address at = address(new Logic());
        _set(at);
        (bool isDone,) = at.delegatecall(abi.encodeCall(Logic.begin, (msg.sender)));
        require(isDone);
    }

    function upgradeTo(address to) external {
        require(msg.sender == Plain(address(this)).owner());
        _set(to);
    }

    function _set(address to) internal virtual {
        assembly {
            sstore(AT, to)
        }
    }

    function _at() internal view virtual returns (address at) {
        assembly {
            at := sload(AT)
        }
    }

    fallback() external virtual {
        address at = _at();
        assembly {
            calldatacopy(0, 0, calldatasize())
            let isDone := delegatecall(gas(), at, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(isDone) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}

/// The same in a place of storage that no standard names.
contract OddProxy is Proxy {
    bytes32 private constant AT = keccak256("somewhere");

    function _set(address to) internal override {
        bytes32 at = AT;
        assembly {
            sstore(at, to)
        }
    }

    function _at() internal view override returns (address to) {
        bytes32 at = AT;
        assembly {
            to := sload(at)
        }
    }
}
