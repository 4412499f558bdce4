// Makes test vectors for the exact forms of pools. Run it by hand: `npm ci && npm run generate`.
// The tests read its compressed output in tests/data/pools and need no Node.
//
// Answers come from the official SDKs (v2-sdk, v3-sdk) and, as a second witness, from the contracts'
// own code (see bytecode.mjs), which runs here in a JavaScript virtual machine.
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { deployV3, deployV4 } from './bytecode.mjs'

const require = createRequire(import.meta.url)
const { Token, CurrencyAmount } = require('@uniswap/sdk-core')
const { Pair } = require('@uniswap/v2-sdk')
const { v3Swap, SwapMath, TickListDataProvider, TickMath, Tick } = require('@uniswap/v3-sdk')
const JSBI = require('jsbi').default ?? require('jsbi')

const STATES = 300
const SWAPS_PER_STATE = 10
const BYTECODE_STATES = 60
const STEPS = 3000
const WIDE_STEPS = 1000
const TICKS = 3000
const PAIRS = 3000
const TICK_LIMIT = 887272

// ---- chance, always the same -------------------------------------------------------------------

let seed = 1
function chance() {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
const whole = (low, high) => low + Math.floor(chance() * (high - low + 1))
const pick = (values) => values[whole(0, values.length - 1)]
function ofBits(bits) {
  let found = 1n
  for (let i = 1; i < bits; i++) found = found * 2n + (chance() < 0.5 ? 0n : 1n)
  return found
}
const big = (number) => JSBI.BigInt(number.toString())
const native = (number) => BigInt(number.toString())

// ---- states of concentrated pools --------------------------------------------------------------

const ratioAt = (tick) => native(TickMath.getSqrtRatioAtTick(tick))

function makeState() {
  const spacing = pick([1, 1, 10, 60, 60, 200, 2000])
  const fee = chance() < 0.8 ? pick([100, 500, 2500, 3000, 10000]) : whole(0, 999999)
  const edge = Math.floor(TICK_LIMIT / spacing) * spacing
  const reach = chance() < 0.1 ? edge : Math.min(edge, whole(0, 300000))
  const centre = whole(-reach, reach)
  const nets = new Map()
  for (let i = whole(1, 12); i > 0; i--) {
    const width = Math.floor(Math.exp(chance() * Math.log(4000)))
    let lower = Math.floor(centre / spacing) - whole(0, width * 2) + Math.floor(width / 2)
    let upper = lower + width
    lower = Math.max(lower * spacing, -edge)
    upper = Math.min(upper * spacing, edge)
    if (chance() < 0.05) [lower, upper] = [-edge, edge]
    if (lower >= upper) continue
    const liquidity = ofBits(whole(3, 100))
    nets.set(lower, (nets.get(lower) ?? 0n) + liquidity)
    nets.set(upper, (nets.get(upper) ?? 0n) - liquidity)
  }
  const ticks = [...nets.entries()].sort((a, b) => a[0] - b[0])
  let tick = Math.max(-TICK_LIMIT + 1, Math.min(TICK_LIMIT - 2, centre))
  if (ticks.length && chance() < 0.15) tick = pick(ticks)[0]
  tick = Math.max(-TICK_LIMIT + 1, Math.min(TICK_LIMIT - 2, tick))
  const low = ratioAt(tick)
  let price = low
  const how = chance()
  if (how < 0.75) price = low + (ofBits(64) * (ratioAt(tick + 1) - low)) / 2n ** 64n
  else if (how < 0.85) tick -= 1 // the price fell exactly onto the tick
  let liquidity = 0n
  for (const [at, net] of ticks) if (at <= tick) liquidity += net
  return { price, tick, liquidity, fee, spacing, ticks }
}

function makeSwap(state) {
  const tokenIn = whole(0, 1)
  const isExactIn = whole(0, 1)
  const amount = ofBits(whole(1, chance() < 0.1 ? 250 : 110))
  let limit = null
  if (chance() < 0.2) {
    const tick = Math.max(-TICK_LIMIT + 1, Math.min(TICK_LIMIT - 1, state.tick + whole(-2000, 2000)))
    const ratio = ratioAt(tick) + BigInt(whole(0, 5))
    if (tokenIn === 0 ? ratio < state.price : ratio > state.price) limit = ratio
  }
  return { tokenIn, isExactIn, amount, limit }
}

async function answerOfSdk(state, swap) {
  const list = state.ticks.map(
    ([index, net]) =>
      new Tick({ index, liquidityGross: big(net < 0n ? -net : net), liquidityNet: big(net) })
  )
  const provider = new TickListDataProvider(list, state.spacing)
  try {
    const found = await v3Swap(
      big(state.fee), big(state.price), state.tick, big(state.liquidity), state.spacing, provider,
      swap.tokenIn === 0, big(swap.isExactIn ? swap.amount : -swap.amount),
      swap.limit === null ? undefined : big(swap.limit)
    )
    const calculated = native(found.amountCalculated)
    return [
      (calculated < 0n ? -calculated : calculated).toString(), found.sqrtRatioX96.toString(),
      found.tickCurrent, found.liquidity.toString(),
    ]
  } catch (error) {
    return { error: String(error.message).slice(0, 80) } // e.g. "BELOW_SMALLEST" of its tick list
  }
}

// ---- the files ---------------------------------------------------------------------------------

const text = (value) => JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? one.toString() : one))
const rows = (list) => '[\n' + list.map(text).join(',\n') + '\n]'

const furthest = [ratioAt(-TICK_LIMIT) + 1n, ratioAt(TICK_LIMIT) - 1n]

async function concentrated() {
  const found = []
  for (let i = 0; i < STATES; i++) {
    const state = makeState()
    const swaps = []
    const protocolFee = pick([0, 0, 1, 250, 1000])
    const [v3, v4] = i < BYTECODE_STATES ? [await deployV3(state), await deployV4(state, protocolFee)] : []
    for (let j = 0; j < SWAPS_PER_STATE; j++) {
      const swap = makeSwap(state)
      const limit = swap.limit ?? furthest[swap.tokenIn]
      swaps.push({
        ...swap,
        sdk: await answerOfSdk(state, swap),
        ...(v3 && { v3: await v3(swap, limit), v4: await v4(swap, limit) }),
      })
    }
    found.push({ ...state, protocolFee, swaps })
  }
  return found
}

function steps() {
  const found = []
  for (let i = 0; i < STEPS; i++) {
    const start = whole(-TICK_LIMIT, TICK_LIMIT - 1)
    const reach = Math.floor(Math.exp(chance() * Math.log(100000)))
    const end = Math.max(-TICK_LIMIT, Math.min(TICK_LIMIT, start + whole(-reach, reach)))
    const [price, target] = [ratioAt(start) + BigInt(whole(0, 1000)), ratioAt(end)]
    const [liquidity, amount] = [ofBits(whole(1, 128)), ofBits(whole(1, 160))]
    const fee = chance() < 0.5 ? 3000 : whole(0, 999999)
    found.push(step(price, target, liquidity, amount, fee, whole(0, 1)))
  }
  return found
}

function step(price, target, liquidity, amount, fee, isExactIn) {
  const [after, taken, given, feeAmount] = SwapMath.computeSwapStep(
    big(price), big(target), big(liquidity), big(isExactIn ? amount : -amount), big(fee)
  )
  const paid = native(taken) + native(feeAmount)
  return [price, target, liquidity, amount, fee, isExactIn, native(after), paid, native(given)]
}

// Inputs of token 0 whose product with the price is beyond 256 bits, over very many ticks.
function wideSteps() {
  const found = []
  while (found.length < WIDE_STEPS) {
    const [price, target] = [ratioAt(whole(300000, TICK_LIMIT)), ratioAt(whole(-TICK_LIMIT, -300000))]
    const liquidity = ofBits(whole(90, 128))
    const bits = (number) => number.toString(2).length
    const [low, high] = [257 - bits(price), bits(liquidity) + 96 - bits(target)]
    const amount = ofBits(whole(low, Math.max(high, low)))
    found.push(step(price, target, liquidity, amount, pick([0, 500, 3000]), 1))
  }
  return found
}

function ticks() {
  const list = [-TICK_LIMIT, -TICK_LIMIT + 1, -1, 0, 1, TICK_LIMIT - 1]
  while (list.length < TICKS) list.push(whole(-TICK_LIMIT, TICK_LIMIT - 1))
  return list.map((tick) => {
    const ratio = ratioAt(tick)
    const within = ratio + (ofBits(32) * (ratioAt(tick + 1) - ratio)) / 2n ** 33n
    const below = tick === -TICK_LIMIT ? null : TickMath.getTickAtSqrtRatio(big(ratio - 1n))
    return [tick, ratio, within, TickMath.getTickAtSqrtRatio(big(within)), below]
  })
}

function pairs() {
  const [one, other] = ['1', '2'].map((digit) => new Token(1, '0x' + digit.repeat(40), 18))
  const found = []
  for (let i = 0; i < PAIRS; i++) {
    const reserves = [ofBits(whole(1, 111)), ofBits(whole(1, 111))]
    const tokenIn = whole(0, 1)
    const amount = ofBits(whole(1, 110))
    const pair = new Pair(
      CurrencyAmount.fromRawAmount(one, reserves[0].toString()),
      CurrencyAmount.fromRawAmount(other, reserves[1].toString())
    )
    const [from, to] = tokenIn === 0 ? [one, other] : [other, one]
    let [given, asked] = [null, null]
    try {
      given = pair.getOutputAmount(CurrencyAmount.fromRawAmount(from, amount.toString()))[0].quotient.toString()
    } catch (error) {
      given = error.name === 'InsufficientInputAmountError' || error.isInsufficientInputAmountError ? '0' : null
    }
    try {
      asked = pair.getInputAmount(CurrencyAmount.fromRawAmount(to, amount.toString()))[0].quotient.toString()
    } catch (error) {
      if (!error.isInsufficientReservesError) throw error
    }
    found.push([...reserves, tokenIn, amount, given, asked])
  }
  return found
}

const out = process.argv[2] ?? '.'
writeFileSync(`${out}/sdk_pairs.json`, rows(pairs()))
writeFileSync(`${out}/sdk_ticks.json`, rows(ticks()))
writeFileSync(`${out}/sdk_steps.json`, rows(steps()))
writeFileSync(`${out}/concentrated_swaps.json`, rows(await concentrated()))
seed = 2
writeFileSync(`${out}/sdk_wide_steps.json`, rows(wideSteps()))
