// Makes the Whirlpool vectors once: random pools, quoted by Orca's own library.
//
//   npm ci && node generate.mjs 3000 1 | xz -9 > ../../data/pools/whirlpool_core.jsonl.xz
//
// A line is one pool: its numbers, the first ticks of its tick arrays, its initialised ticks with
// net liquidity, and quotes [exactIn, aToB, amount, tokenIn, tokenOut, fee], or [.., "error text"].
// Numbers beyond 53 bits are strings.

import * as core from "@orca-so/whirlpools-core";

const [count, seed] = process.argv.slice(2).map(Number);
const ARRAY_SIZE = core._TICK_ARRAY_SIZE();
const [TICK_MIN, TICK_MAX] = [core._MIN_TICK_INDEX(), core._MAX_TICK_INDEX()];
const QUOTES = 4;

let word = BigInt(seed) | 1n;
function bits64() {
  // xorshift64*: the same vectors for the same seed, everywhere
  word ^= word >> 12n;
  word = (word ^ (word << 25n)) & 0xffffffffffffffffn;
  word ^= word >> 27n;
  return (word * 2685821657736338717n) & 0xffffffffffffffffn;
}
const below = (limit) => Number(bits64() % BigInt(limit));
const between = (low, high) => low + below(high - low + 1);
const pick = (list) => list[below(list.length)];
const floorTo = (value, step) => Math.floor(value / step) * step;
const magnitude = (low, high) => BigInt(between(1, 999)) * 10n ** BigInt(between(low, high));

function positions(spacing, tick) {
  const made = [];
  const widest = Math.floor(TICK_MAX / spacing);
  const reaches = Array.from({ length: between(0, 9) }, () => pick([3, 20, 200, 2000]));
  if (below(8) > 0) reaches.push(widest);
  for (const reach of reaches) {
    const middle = Math.floor(tick / spacing) + between(-Math.min(reach, 300), Math.min(reach, 300));
    const lower = Math.max(middle - between(1, reach), -widest) * spacing;
    const upper = Math.min(middle + between(1, reach), widest) * spacing;
    if (lower < upper) made.push({ lower, upper, liquidity: magnitude(0, 18) });
  }
  return made;
}

function makePool() {
  const spacing = pick([1, 2, 4, 8, 16, 64, 96, 128, 256, 32896]);
  const spread = pick([300, 20_000, 200_000, TICK_MAX - 1]);
  let tick = between(-spread, spread);
  const low = core.tickIndexToSqrtPrice(tick);
  const high = core.tickIndexToSqrtPrice(tick + 1);
  const sqrtPrice = below(10) === 0 ? low : low + (bits64() % (high - low));
  if (sqrtPrice === low && tick % spacing === 0 && below(2) === 0) tick -= 1; // just crossed it
  const nets = new Map();
  let liquidity = 0n;
  for (const one of positions(spacing, tick)) {
    nets.set(one.lower, (nets.get(one.lower) ?? 0n) + one.liquidity);
    nets.set(one.upper, (nets.get(one.upper) ?? 0n) - one.liquidity);
    if (one.lower <= tick && tick < one.upper) liquidity += one.liquidity;
  }
  const width = ARRAY_SIZE * spacing;
  const back = between(0, 2);
  const first = floorTo(tick, width) - width * back;
  const arrays = Math.max(back + between(0, 3), 1); // at times without the current one
  const starts = Array.from({ length: arrays }, (_, index) => first + index * width);
  const inside = starts.filter((start) => start + width > TICK_MIN && start <= TICK_MAX);
  const end = inside.at(-1) + width;
  const ticks = [...nets.entries()]
    .filter(([index]) => index >= inside[0] && index < end)
    .sort(([a], [b]) => a - b);
  const fee = pick([0, 1, 100, 400, 1600, 3000, 10_000, 20_000, 30_000, 60_000]);
  return { spacing, fee, liquidity, sqrtPrice, tick, starts: inside, ticks };
}

function asFacades(pool) {
  const known = new Map(pool.ticks);
  const tickArrays = pool.starts.map((startTickIndex) => ({
    startTickIndex,
    ticks: Array.from({ length: ARRAY_SIZE }, (_, offset) => {
      const net = known.get(startTickIndex + offset * pool.spacing);
      return {
        initialized: net !== undefined,
        liquidityNet: net ?? 0n,
        liquidityGross: 0n,
        feeGrowthOutsideA: 0n,
        feeGrowthOutsideB: 0n,
        rewardGrowthsOutside: [0n, 0n, 0n],
      };
    }),
  }));
  const reward = { emissionsPerSecondX64: 0n, growthGlobalX64: 0n };
  const whirlpool = {
    feeTierIndexSeed: new Uint8Array([pool.spacing & 255, pool.spacing >> 8]),
    tickSpacing: pool.spacing,
    feeRate: pool.fee,
    protocolFeeRate: 0,
    liquidity: pool.liquidity,
    sqrtPrice: pool.sqrtPrice,
    tickCurrentIndex: pool.tick,
    feeGrowthGlobalA: 0n,
    feeGrowthGlobalB: 0n,
    rewardLastUpdatedTimestamp: 0n,
    rewardInfos: [reward, reward, reward],
  };
  return { whirlpool, tickArrays };
}

function makeAmount({ liquidity, sqrtPrice }, isTokenA) {
  const whole = isTokenA ? (liquidity << 64n) / sqrtPrice : (liquidity * sqrtPrice) >> 64n;
  const part = (whole * BigInt(between(1, 999))) / 10n ** BigInt(between(3, 6));
  const amount = below(4) > 0 ? part : below(10) > 0 ? magnitude(0, 12) : bits64();
  return 0n < amount && amount < 1n << 64n ? amount : magnitude(0, 9);
}

function quote({ whirlpool, tickArrays }) {
  const isExactIn = below(2) === 0;
  const isAToB = below(2) === 0;
  const amount = makeAmount(whirlpool, isAToB === isExactIn);
  const ask = isExactIn ? core.swapQuoteByInputToken : core.swapQuoteByOutputToken;
  const head = [isExactIn, isAToB, String(amount)];
  try {
    // The library names the specified token: the input if exact in, the output if exact out.
    const found = ask(amount, isAToB === isExactIn, 0, whirlpool, undefined, tickArrays, 0n);
    const tokenIn = isExactIn ? found.tokenIn : found.tokenEstIn;
    const tokenOut = isExactIn ? found.tokenEstOut : found.tokenOut;
    return [...head, String(tokenIn), String(tokenOut), String(found.tradeFee)];
  } catch (error) {
    return [...head, String(error.message ?? error)];
  }
}

for (let index = 0; index < count; index++) {
  const pool = makePool();
  const facades = asFacades(pool);
  const quotes = Array.from({ length: QUOTES }, () => quote(facades));
  const line = { ...pool, quotes };
  console.log(JSON.stringify(line, (_, value) => (typeof value === "bigint" ? String(value) : value)));
}
