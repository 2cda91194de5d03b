/** float16 ↔ float32, as IEEE 754 has them. Node 20 has no Float16Array; halves are kept in a Uint16Array. */

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** The float16 nearest to each value, ties to even; beyond ±65,504 it is infinite. */
export function toHalves(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i += 1) halves[i] = toHalf(values[i] as number);
  return halves;
}

/**
 * @param table what `halfTable` gives
 * @param out at least as long; returned for convenience
 */
export function fromHalves(
  halves: Uint16Array,
  table: Float32Array,
  out: Float32Array = new Float32Array(halves.length),
): Float32Array {
  for (let i = 0; i < halves.length; i += 1) out[i] = table[halves[i] as number] as number;
  return out;
}

function toHalf(value: number): number {
  float[0] = value;
  const all = bits[0] as number;
  const sign = (all >>> 16) & 0x8000;
  const exponent = ((all >>> 23) & 0xff) - 112;
  const fraction = all & 0x7fffff;
  if (exponent === 143) return sign | 0x7c00 | (fraction ? 0x200 : 0);
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent <= 0) {
    if (exponent < -10) return sign;
    const full = fraction | 0x800000;
    const shift = 14 - exponent;
    return sign | roundUp(full >>> shift, full & ((1 << shift) - 1), 1 << (shift - 1));
  }
  // A carry out of the fraction lands in the exponent, which is what it should do.
  return sign | roundUp((exponent << 10) | (fraction >>> 13), fraction & 0x1fff, 0x1000);
}

const roundUp = (kept: number, rest: number, middle: number): number =>
  kept + (rest > middle || (rest === middle && kept & 1) ? 1 : 0);

/** The value of every float16 bit pattern. [65,536] */
export function halfTable(): Float32Array {
  const values = new Float32Array(65_536);
  for (let half = 0; half < 65_536; half += 1) {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 31) values[half] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else if (exponent === 0) values[half] = sign * fraction * 2 ** -24;
    else values[half] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return values;
}
