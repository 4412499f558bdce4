// Answers of the deployed code of Uniswap V3's pool and V4's pool manager to single swaps.
//
// Storage is written in the place of minting, and the caller's callback reverts with the amounts, so
// that no token moves. Only the answers are kept: the packages that hold the code are no part of the
// product.
import { createRequire } from 'node:module'
import { createEVM } from '@ethereumjs/evm'
import {
  bigIntToBytes, createAccount, createAddressFromString, hexToBytes, setLengthLeft,
} from '@ethereumjs/util'
import { keccak_256 as keccak } from '@noble/hashes/sha3.js'

const require = createRequire(import.meta.url)
const poolCode = require('@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json')
const managerCode = require('@uniswap/v4-core/out/PoolManager.sol/PoolManager.json')

const address = (digit) => createAddressFromString('0x' + digit.repeat(40))
const word = (number) => setLengthLeft(bigIntToBytes(BigInt.asUintN(256, BigInt(number))), 32)
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]))
const slotOf = (key, slot) => keccak(join(word(key), word(slot)))
const selector = (text) => keccak(new TextEncoder().encode(text)).slice(0, 4)
const read = (bytes) => BigInt('0x' + Buffer.from(bytes).toString('hex'))

const TOKEN = address('1')
const OTHER = address('2')
const MAKER = address('3')
const CALLER = address('4')
const GAS = 10n ** 12n

const ANSWER_ONE = hexToBytes('0x60015f5260205ff3') // 1, whatever is asked
const REVERT_AMOUNTS = hexToBytes('0x604060045f3760405ffd') // with the callback's two amounts
// Calls the caller back with what it was given, and reverts with the answer and whether it succeeded.
const CALL_BACK_AND_REVERT = hexToBytes('0x602435806044' + '5f3760205f825f5f335af160205260405ffd')
const answerWith = (words) =>
  join(
    ...words.map((one, i) => join([0x7f], one, [0x60, 32 * i, 0x52])),
    [0x60, 32 * words.length, 0x5f, 0xf3]
  )

async function makeMachine(callerCode) {
  const machine = await createEVM({ allowUnlimitedContractSize: true })
  for (const one of [TOKEN, OTHER, MAKER, CALLER]) {
    await machine.stateManager.putAccount(one, createAccount({ nonce: 1n, balance: 10n ** 30n }))
  }
  await machine.stateManager.putCode(TOKEN, ANSWER_ONE)
  await machine.stateManager.putCode(OTHER, ANSWER_ONE)
  await machine.stateManager.putCode(CALLER, callerCode)
  return machine
}

async function create(machine, code) {
  const made = await machine.runCall({ caller: MAKER, data: code, gasLimit: GAS })
  if (made.execResult.exceptionError) throw new Error(made.execResult.exceptionError.error)
  return made.createdAddress
}

// Yields the storage of ticks and bitmap, whose mappings lie at the two slots.
function* tickStorage(state, ticksSlot, bitmapSlot) {
  const bitmap = new Map()
  for (const [index, net] of state.ticks) {
    const gross = net < 0n ? -net : net
    yield [slotOf(BigInt(index), ticksSlot), (BigInt.asUintN(128, net) << 128n) | gross]
    const place = BigInt(index / state.spacing)
    bitmap.set(place >> 8n, (bitmap.get(place >> 8n) ?? 0n) | (1n << BigInt.asUintN(8, place)))
  }
  for (const [at, bits] of bitmap) yield [slotOf(at, bitmapSlot), bits]
}

const packTick = (state) => BigInt.asUintN(24, BigInt(state.tick)) << 160n

function reason(bytes) {
  return new TextDecoder().decode(bytes.slice(68)).replace(/[^ -~]/g, '') || 'failed'
}

async function call(machine, to, data) {
  await machine.stateManager.checkpoint()
  const found = await machine.runCall({ caller: CALLER, to, data, gasLimit: GAS })
  await machine.stateManager.revert()
  return found.execResult.returnValue
}

// Returns a function from swap to its two signed amounts, in positive, or to an error.
export async function deployV3(state) {
  const machine = await makeMachine(REVERT_AMOUNTS)
  const words = [MAKER.toString(), TOKEN.toString(), OTHER.toString(), state.fee, state.spacing]
  await machine.stateManager.putCode(MAKER, answerWith(words.map(word)))
  const pool = await create(machine, hexToBytes(poolCode.bytecode))
  const put = (slot, value) => machine.stateManager.putStorage(pool, slot, word(value))
  // slot 0: price, tick, observation index, cardinality, next cardinality, protocol fee, unlocked
  await put(word(0), state.price | packTick(state) | (1n << 200n) | (1n << 216n) | (1n << 240n))
  await put(word(4), state.liquidity)
  await put(word(8), 1n << 248n)
  for (const [slot, value] of tickStorage(state, 5n, 6n)) await put(slot, value)
  return async (swap, limit) => {
    const amount = swap.isExactIn ? swap.amount : -swap.amount
    const data = join(
      selector('swap(address,bool,int256,uint160,bytes)'),
      ...[CALLER.toString(), 1 - swap.tokenIn, amount, limit, 160n, 0n].map(word)
    )
    const back = await call(machine, pool, data)
    if (back.length !== 64) return { error: reason(back) }
    return [0, 32].map((at) => BigInt.asIntN(256, read(back.slice(at, at + 32))).toString())
  }
}

// The same for V4; a protocol fee in pips is taken on top of the pool's.
export async function deployV4(state, protocolFee) {
  const machine = await makeMachine(CALL_BACK_AND_REVERT)
  await machine.stateManager.putCode(MAKER, new Uint8Array())
  const manager = await create(
    machine, join(hexToBytes('0x' + managerCode.bytecode.object.replace('0x', '')), word(MAKER.toString()))
  )
  const key = join(...[TOKEN.toString(), OTHER.toString(), state.fee, state.spacing, 0n].map(word))
  const base = read(slotOf(read(keccak(key)), 6n))
  const put = (slot, value) => machine.stateManager.putStorage(manager, slot, word(value))
  const fees = (BigInt(protocolFee | (protocolFee << 12)) << 184n) | (BigInt(state.fee) << 208n)
  await put(word(base), state.price | packTick(state) | fees)
  await put(word(base + 3n), state.liquidity)
  for (const [slot, value] of tickStorage(state, base + 4n, base + 5n)) await put(slot, value)
  const swapSelector = selector(
    'swap((address,address,uint24,int24,address),(bool,int256,uint160),bytes)'
  )
  return async (swap, limit) => {
    const amount = swap.isExactIn ? -swap.amount : swap.amount
    const tail = [1 - swap.tokenIn, amount, limit, 288n, 0n].map(word)
    const inner = join(swapSelector, key, ...tail)
    const data = join(selector('unlock(bytes)'), word(32), word(inner.length), inner, new Uint8Array(31))
    const back = await call(machine, manager, data)
    if (back.length !== 64 || read(back.slice(32)) !== 1n) return { error: 'reverted' }
    const both = read(back.slice(0, 32))
    // from the swapper's side: what is paid is negative
    return [both >> 128n, both].map((one) => (-BigInt.asIntN(128, one)).toString())
  }
}
