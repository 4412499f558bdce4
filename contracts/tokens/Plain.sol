// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.20;

/// What every token of these tests is before it does its own thing.
contract Plain {
    string public name = "Plain";
    string public symbol = "PLAIN";
    uint8 public decimals = 18;
    uint256 public totalSupply;
    address public owner;
    mapping(address => uint256) internal balances;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    modifier onlyOwner() {
        require(msg.sender == owner, "not the owner");
        _;
    }

    constructor() {
        owner = msg.sender;
        _mint(msg.sender, 1e27);
    }

    function balanceOf(address who) public view virtual returns (uint256) {
        return balances[who];
    }

    function transfer(address to, uint256 value) public virtual returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    function approve(address spender, uint256 value) public virtual returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) public virtual returns (bool) {
        if (allowance[from][msg.sender] != type(uint256).max) {
            allowance[from][msg.sender] -= value;
        }
        _move(from, to, value);
        return true;
    }

    function _mint(address to, uint256 value) internal {
        totalSupply += value;
        balances[to] += value;
        emit Transfer(address(0), to, value);
    }

    function _move(address from, address to, uint256 value) internal virtual {
        balances[from] -= value;
        balances[to] += value;
        emit Transfer(from, to, value);
    }

    /// Moves less than it was told to; what is missing is the owner's.
    function _moveTaxed(address from, address to, uint256 value, uint256 taxBps) internal {
        uint256 tax = value * taxBps / 10_000;
        Plain._move(from, to, value - tax);
        if (tax > 0) Plain._move(from, owner, tax);
    }
}
