/** Rendered scenes (sky, hills, houses, water, people as discs) as SVG: the same seed, the same scene. */

/** A small seeded stream of numbers in [0, 1). */
function numbers(seed: number): () => number {
  let state = (seed * 0x9e3779b1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** An SVG document of that size. */
export function drawScene(seed: number, width: number, height: number): string {
  const next = numbers(seed);
  const upTo = (limit: number): number => Math.round(next() * limit);
  const hue = upTo(360);
  const horizon = 60 + upTo(120);
  const shapes: string[] = [];
  for (let i = 0; i < 6; i += 1)
    shapes.push(
      `<ellipse cx="${upTo(400)}" cy="${horizon}" rx="${40 + upTo(120)}" ry="${15 + upTo(60)}" fill="hsl(${(hue + 90 + upTo(60)) % 360},${20 + upTo(40)}%,${15 + upTo(50)}%)"/>`,
    );
  shapes.push(
    `<rect y="${horizon}" width="400" height="${300 - horizon}" fill="hsl(${(hue + 180 + upTo(60)) % 360},${20 + upTo(50)}%,${20 + upTo(45)}%)"/>`,
  );
  for (let i = 0; i < 5 + upTo(6); i += 1) {
    const x = upTo(370);
    const w = 20 + upTo(70);
    const h = 20 + upTo(110);
    const y = horizon + upTo(110) - h;
    const colour = `hsl(${upTo(360)},${upTo(70)}%,${15 + upTo(70)}%)`;
    shapes.push(`<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="${colour}"/>`);
    shapes.push(
      `<path d="M${x - 4} ${y} l${w / 2 + 4} ${-10 - upTo(30)} l${w / 2 + 4} ${10 + upTo(25)} z" fill="hsl(${upTo(60)},50%,${20 + upTo(30)}%)"/>`,
    );
  }
  for (let i = 0; i < 25; i += 1)
    shapes.push(
      `<circle cx="${upTo(400)}" cy="${horizon + upTo(300 - horizon)}" r="${2 + upTo(14)}" fill="hsl(${upTo(360)},60%,${20 + upTo(60)}%)" opacity="0.8"/>`,
    );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 400 300" preserveAspectRatio="none"><defs><linearGradient id="sky" x2="${next().toFixed(2)}" y2="1"><stop offset="0" stop-color="hsl(${hue},60%,${30 + upTo(50)}%)"/><stop offset="1" stop-color="hsl(${(hue + 40) % 360},50%,${40 + upTo(50)}%)"/></linearGradient></defs><rect width="400" height="300" fill="url(#sky)"/>${shapes.join('')}</svg>\n`;
}
