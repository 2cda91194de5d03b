/** A 64-bit fingerprint of what a picture looks like (DCT hash), and that of its mirror image. */
import { luma, type Pixels, resample } from './resample.ts';

const SIDE = 32;
const LOW = 8;
/** Below this mean energy of the low frequencies a picture has no features that could tell it from another. */
const FEATURELESS = 2;

export interface PerceptualHashes {
  /** 16 hex digits. */
  readonly hash: string;
  /** That of the picture mirrored left to right. */
  readonly flipped: string;
}

/** Row u holds the cosine of frequency u at the 32 sample positions. */
const COSINES: Float64Array = Float64Array.from({ length: LOW * SIDE }, (_, i) =>
  Math.cos((Math.PI * Math.floor(i / SIDE) * ((i % SIDE) + 0.5)) / SIDE),
);

/** The 8 × 8 lowest frequencies of a 32 × 32 grey picture; rows are vertical frequencies. */
function lowFrequencies(grey: Uint8Array): Float64Array {
  const rows = new Float64Array(SIDE * LOW);
  for (let y = 0; y < SIDE; y += 1)
    for (let u = 0; u < LOW; u += 1) {
      let sum = 0;
      for (let x = 0; x < SIDE; x += 1)
        sum += (grey[y * SIDE + x] as number) * (COSINES[u * SIDE + x] as number);
      rows[y * LOW + u] = sum;
    }
  const out = new Float64Array(LOW * LOW);
  for (let v = 0; v < LOW; v += 1)
    for (let u = 0; u < LOW; u += 1) {
      let sum = 0;
      for (let y = 0; y < SIDE; y += 1)
        sum += (rows[y * LOW + u] as number) * (COSINES[v * SIDE + y] as number);
      out[v * LOW + u] = sum / SIDE;
    }
  return out;
}

/** One bit per coefficient: above the median or not. The first (the mean brightness) takes no part in the median. */
function bits(coefficients: Float64Array): string {
  const sorted = coefficients.slice(1).sort();
  const median = sorted[(sorted.length - 1) / 2] as number;
  let hex = '';
  for (let i = 0; i < coefficients.length; i += 4) {
    let digit = 0;
    for (let k = 0; k < 4; k += 1) digit = digit * 2 + ((coefficients[i + k] as number) > median ? 1 : 0);
    hex += digit.toString(16);
  }
  return hex;
}

/** Hashes of an RGB picture; null for one without features (a plain colour): it would equal every other such. */
export function perceptualHashes(picture: Pixels): PerceptualHashes | null {
  const low = lowFrequencies(resample(luma(picture), SIDE, SIDE).data);
  let energy = 0;
  for (let i = 1; i < low.length; i += 1) energy += Math.abs(low[i] as number);
  if (energy / (low.length - 1) < FEATURELESS) return null;
  // Mirroring turns the sign of the odd horizontal frequencies and changes nothing else.
  const mirrored = low.map((value, i) => (i % 2 === 1 ? -value : value));
  return { hash: bits(low), flipped: bits(mirrored) };
}
