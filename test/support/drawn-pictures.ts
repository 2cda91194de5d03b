/** Small pictures made by rule: even ones blue water with a horizon, odd ones fire. For tests of picture models. */

/** n pictures as RGB bytes, row by row. [n, 64, 64, 3] */
export function drawnPictures(n: number): Uint8Array {
  const bytes = new Uint8Array(n * 64 * 64 * 3);
  for (let i = 0; i < n; i += 1)
    for (let y = 0; y < 64; y += 1)
      for (let x = 0; x < 64; x += 1) {
        const wave = Math.round(40 * Math.sin((x + 7 * i) / 5) * Math.cos(y / 7));
        const fire: readonly number[] = [200 + wave, 90 + wave + y, 20 + (y >> 1)];
        const water: readonly number[] = [30 + (y >> 1), 80 + wave, 170 + wave + (y > 30 ? 40 : 0)];
        bytes.set(i % 2 ? fire : water, ((i * 64 + y) * 64 + x) * 3);
      }
  return bytes;
}
