// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.20;

import "./Plain.sol";

/// Without an owner: nobody can do anything to it.
contract Renounced is Plain {
    constructor() {
        owner = address(0);
    }
}

/// With an owner who can do nothing but name another one.
contract Owned is Plain {
    function transferOwnership(address to) external onlyOwner {
        owner = to;
    }
}

/// Its owner can make more of it, and nothing else.
contract Minted is Plain {
    function mint(address to, uint256 value) external onlyOwner {
        _mint(to, value);
    }
}

/// Could be paused and taxed while it had an owner, whom it has no more.
contract GivenUp is Plain {
    bool public isPaused;
    uint256 public taxBps;
    mapping(address => bool) public isBlocked;

    constructor() {
        owner = address(0);
    }

    function pause() external onlyOwner {
        isPaused = true;
    }

    function setTax(uint256 bps) external onlyOwner {
        taxBps = bps;
    }

    function setBlacklist(address who, bool yes) external onlyOwner {
        isBlocked[who] = yes;
    }

    function _move(address from, address to, uint256 value) internal override {
        require(!isPaused && !isBlocked[from]);
        _moveTaxed(from, to, value, taxBps);
    }
}

/// Returns nothing from its transfers, has six decimals, and names in 32 bytes.
contract NoReturn {
    bytes32 public name = "Old";
    bytes32 public symbol = "OLD";
    uint8 public decimals = 6;
    uint256 public totalSupply = 1e18;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    constructor() {
        balanceOf[msg.sender] = totalSupply;
    }

    function transfer(address to, uint256 value) external {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
    }

    function approve(address spender, uint256 value) external {
        require(value == 0 || allowance[msg.sender][spender] == 0);
        allowance[msg.sender][spender] = value;
    }

    function transferFrom(address from, address to, uint256 value) external {
        allowance[from][msg.sender] -= value;
        balanceOf[from] -= value;
        balanceOf[to] += value;
    }
}

/// As issuers of pegged dollars have them: pause, blacklist, a fee that is 0, nothing returned.
contract Issued {
    string public name = "Issued Dollar";
    string public symbol = "ISSUED";
    uint8 public decimals = 6;
    uint256 public totalSupply = 1e18;
    uint256 public basisPointsRate;
    bool public paused;
    address public owner = msg.sender;
    mapping(address => bool) public isBlackListed;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    modifier onlyOwner() {
        require(msg.sender == owner);
        _;
    }

    constructor() {
        balanceOf[msg.sender] = totalSupply;
    }

    function pause() external onlyOwner {
        paused = true;
    }

    function addBlackList(address who) external onlyOwner {
        isBlackListed[who] = true;
    }

    function destroyBlackFunds(address who) external onlyOwner {
        require(isBlackListed[who]);
        totalSupply -= balanceOf[who];
        balanceOf[who] = 0;
    }

    function setParams(uint256 bps, uint256) external onlyOwner {
        require(bps < 20);
        basisPointsRate = bps;
    }

    function issue(uint256 value) external onlyOwner {
        balanceOf[owner] += value;
        totalSupply += value;
    }

    function transfer(address to, uint256 value) external {
        _move(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external {
        allowance[from][msg.sender] -= value;
        _move(from, to, value);
    }

    function approve(address spender, uint256 value) external {
        require(value == 0 || allowance[msg.sender][spender] == 0);
        allowance[msg.sender][spender] = value;
    }

    function _move(address from, address to, uint256 value) private {
        require(!paused && !isBlackListed[from]);
        uint256 fee = value * basisPointsRate / 10_000;
        balanceOf[from] -= value;
        balanceOf[to] += value - fee;
        balanceOf[owner] += fee;
    }
}

/// Passes every call to one contract for ever (EIP-1167): no upgrade, and no trap.
contract CloneTarget is Plain {
    bool private isBegun = true;

    function begin(address to) external {
        require(!isBegun);
        isBegun = true;
        name = "Clone";
        symbol = "CLONE";
        decimals = 18;
        _mint(to, 1e27);
    }
}

contract CloneMaker {
    address public made;

    constructor(address to) {
        bytes memory code = abi.encodePacked(
            hex"3d602d80600a3d3981f3363d3d373d3d3d363d73",
            address(new CloneTarget()),
            hex"5af43d82803e903d91602b57fd5bf3"
        );
        address at;
        assembly {
            at := create(0, add(code, 32), mload(code))
        }
        made = at;
        CloneTarget(at).begin(to);
    }
}
