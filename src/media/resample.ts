/** Shrinks and grows small pixel buffers: bilinear (triangle) with the filter widened when shrinking, as PIL does it. */

/** Interleaved bytes, row by row. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

interface Taps {
  /** First source position and number of weights per target position. */
  readonly from: Int32Array;
  readonly count: Int32Array;
  readonly weights: Float64Array;
  readonly stride: number;
}

function taps(size: number, target: number): Taps {
  const scale = size / target;
  const support = Math.max(scale, 1);
  const stride = Math.ceil(support * 2) + 1;
  const from = new Int32Array(target);
  const count = new Int32Array(target);
  const weights = new Float64Array(target * stride);
  for (let t = 0; t < target; t += 1) {
    const centre = (t + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const last = Math.min(size, Math.floor(centre + support + 0.5));
    let sum = 0;
    for (let s = first; s < last; s += 1) {
      const weight = Math.max(0, 1 - Math.abs(s + 0.5 - centre) / support);
      weights[t * stride + s - first] = weight;
      sum += weight;
    }
    for (let k = 0; k < last - first; k += 1) (weights[t * stride + k] as number) /= sum;
    from[t] = first;
    count[t] = last - first;
  }
  return { from, count, weights, stride };
}

/** The picture stretched to `width` × `height`; not cropped. Rows first, then columns, rounded once at the end. */
export function resample(source: Pixels, width: number, height: number): Pixels {
  const { channels } = source;
  const middle = channels === 3 ? rowsOfRgb(source, width) : rowsOfAny(source, width);
  const out = new Uint8Array(width * height * channels);
  const down = taps(source.height, height);
  const row = width * channels;
  const sums = new Float64Array(row);
  for (let y = 0; y < height; y += 1) {
    sums.fill(0);
    const from = down.from[y] as number;
    for (let k = 0; k < (down.count[y] as number); k += 1) {
      const weight = down.weights[y * down.stride + k] as number;
      const start = (from + k) * row;
      for (let i = 0; i < row; i += 1) sums[i] = (sums[i] as number) + weight * (middle[start + i] as number);
    }
    for (let i = 0; i < row; i += 1) out[y * row + i] = Math.round(sums[i] as number);
  }
  return { data: out, width, height, channels };
}

/** Rows brought to `width`, for any number of channels. */
function rowsOfAny({ data, width: size, height, channels }: Pixels, width: number): Float64Array {
  const across = taps(size, width);
  const out = new Float64Array(width * height * channels);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      for (let c = 0; c < channels; c += 1) {
        let sum = 0;
        let at = (y * size + (across.from[x] as number)) * channels + c;
        for (let k = 0; k < (across.count[x] as number); k += 1, at += channels)
          sum += (across.weights[x * across.stride + k] as number) * (data[at] as number);
        out[(y * width + x) * channels + c] = sum;
      }
  return out;
}

/** The same for three channels, where nearly all the time goes: each weight is read once for all three. */
function rowsOfRgb({ data, width: size, height }: Pixels, width: number): Float64Array {
  const { from, count, weights, stride } = taps(size, width);
  const out = new Float64Array(width * height * 3);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      let red = 0;
      let green = 0;
      let blue = 0;
      let at = (y * size + (from[x] as number)) * 3;
      const first = x * stride;
      const last = first + (count[x] as number);
      for (let k = first; k < last; k += 1, at += 3) {
        const weight = weights[k] as number;
        red += weight * (data[at] as number);
        green += weight * (data[at + 1] as number);
        blue += weight * (data[at + 2] as number);
      }
      const to = (y * width + x) * 3;
      out[to] = red;
      out[to + 1] = green;
      out[to + 2] = blue;
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
