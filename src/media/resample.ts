/** Shrinks and grows small pixel buffers: bilinear (triangle) with the filter widened when shrinking, as PIL does it. */

/** Interleaved bytes, row by row. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/**
 * Whole numbers throughout (weights of 14 bits, rows kept with 6 bits behind the point): quick, and the same on
 * every machine.
 */
const WEIGHT_BITS = 14;
const ROW_BITS = 6;

interface Taps {
  /** First source position and number of weights per target position. */
  readonly from: Int32Array;
  readonly count: Int32Array;
  /** Of one target position they add up to 2^14 exactly. */
  readonly weights: Int32Array;
  readonly stride: number;
}

function taps(size: number, target: number): Taps {
  const scale = size / target;
  const support = Math.max(scale, 1);
  const stride = Math.ceil(support * 2) + 1;
  const from = new Int32Array(target);
  const count = new Int32Array(target);
  const weights = new Int32Array(target * stride);
  for (let t = 0; t < target; t += 1) {
    const centre = (t + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const last = Math.min(size, Math.floor(centre + support + 0.5));
    const share = (k: number): number => Math.max(0, 1 - Math.abs(first + k + 0.5 - centre) / support);
    let sum = 0;
    for (let k = 0; k < last - first; k += 1) sum += share(k);
    // Rounding the running total, not each share, keeps the sum exact: a plain colour stays what it is.
    let total = 0;
    let given = 0;
    for (let k = 0; k < last - first; k += 1) {
      total += share(k);
      const upTo = Math.round((total / sum) * 2 ** WEIGHT_BITS);
      weights[t * stride + k] = upTo - given;
      given = upTo;
    }
    from[t] = first;
    count[t] = last - first;
  }
  return { from, count, weights, stride };
}

/** The picture stretched to `width` × `height`; not cropped. Rows first, then columns. */
export function resample(source: Pixels, width: number, height: number): Pixels {
  const { channels } = source;
  const middle = channels === 3 ? rowsOfRgb(source, width) : rowsOfAny(source, width);
  const out = new Uint8Array(width * height * channels);
  const { from, count, weights, stride } = taps(source.height, height);
  const row = width * channels;
  const sums = new Int32Array(row);
  const shift = WEIGHT_BITS + ROW_BITS;
  for (let y = 0; y < height; y += 1) {
    sums.fill(1 << (shift - 1));
    for (let k = 0; k < (count[y] as number); k += 1) {
      const weight = weights[y * stride + k] as number;
      const start = ((from[y] as number) + k) * row;
      for (let i = 0; i < row; i += 1)
        sums[i] = (sums[i] as number) + Math.imul(weight, middle[start + i] as number);
    }
    for (let i = 0; i < row; i += 1) out[y * row + i] = (sums[i] as number) >> shift;
  }
  return { data: out, width, height, channels };
}

const ROW_SHIFT: number = WEIGHT_BITS - ROW_BITS;
const ROW_HALF: number = 1 << (ROW_SHIFT - 1);

/** Rows brought to `width`, for any number of channels. */
function rowsOfAny({ data, width: size, height, channels }: Pixels, width: number): Uint16Array {
  const { from, count, weights, stride } = taps(size, width);
  const out = new Uint16Array(width * height * channels);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      for (let c = 0; c < channels; c += 1) {
        let sum = ROW_HALF;
        let at = (y * size + (from[x] as number)) * channels + c;
        for (let k = 0; k < (count[x] as number); k += 1, at += channels)
          sum += Math.imul(weights[x * stride + k] as number, data[at] as number);
        out[(y * width + x) * channels + c] = sum >> ROW_SHIFT;
      }
  return out;
}

/** The same for three channels, where nearly all the time goes: each weight is read once for all three. */
function rowsOfRgb({ data, width: size, height }: Pixels, width: number): Uint16Array {
  const { from, count, weights, stride } = taps(size, width);
  const out = new Uint16Array(width * height * 3);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      let red = ROW_HALF;
      let green = ROW_HALF;
      let blue = ROW_HALF;
      let at = (y * size + (from[x] as number)) * 3;
      const first = x * stride;
      const last = first + (count[x] as number);
      for (let k = first; k < last; k += 1, at += 3) {
        const weight = weights[k] as number;
        red += Math.imul(weight, data[at] as number);
        green += Math.imul(weight, data[at + 1] as number);
        blue += Math.imul(weight, data[at + 2] as number);
      }
      const to = (y * width + x) * 3;
      out[to] = red >> ROW_SHIFT;
      out[to + 1] = green >> ROW_SHIFT;
      out[to + 2] = blue >> ROW_SHIFT;
    }
  return out;
}

/** Rec. 601 luma of RGB. */
export function luma(source: Pixels): Pixels {
  const count = source.width * source.height;
  const data = new Uint8Array(count);
  for (let i = 0; i < count; i += 1)
    data[i] = Math.round(
      0.299 * (source.data[i * 3] as number) +
        0.587 * (source.data[i * 3 + 1] as number) +
        0.114 * (source.data[i * 3 + 2] as number),
    );
  return { data, width: source.width, height: source.height, channels: 1 };
}
