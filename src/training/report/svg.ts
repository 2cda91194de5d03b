/** Small charts as SVG text: well-formed, readable on light and on dark ground, colours never the only mark. */

const SIZE = 360;
const PAD = 48;

/** Escapes what XML gives a meaning. */
export const escapeXml = (text: string): string =>
  text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** Two decimals are finer than a screen. */
const at = (value: number): string => String(Math.round(value * 100) / 100);

/** Without CSS variables, which some viewers of SVG do not know. */
const STYLE = `
  text { fill: #1b1f24; font: 12px system-ui, sans-serif; }
  .axis { stroke: #1b1f24; fill: none; }
  .faint { stroke: #8a929c; fill: none; stroke-dasharray: 4 4; }
  .line { stroke: #0b5cad; fill: none; stroke-width: 2; }
  .dot { fill: #0b5cad; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e9ed; }
    .axis { stroke: #e6e9ed; }
    .line { stroke: #7db8f5; }
    .dot { fill: #7db8f5; }
  }
`;

/** A picture with a title that screen readers give. `body` is SVG. */
function svg(title: string, width: number, height: number, body: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<text x="${width / 2}" y="20" text-anchor="middle">${escapeXml(title)}</text>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

export interface Axis {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Ends of a vertical bar through the point. */
  readonly interval?: readonly [number, number];
}

/**
 * Points in a square, joined by a line.
 * @param diagonal a dashed line from corner to corner: where the points would lie were all well
 */
export function lineChart(
  title: string,
  x: Axis,
  y: Axis,
  points: readonly Point[],
  options: { readonly diagonal?: boolean; readonly dots?: boolean } = {},
): string {
  const span = SIZE - 2 * PAD;
  const place = (value: number, { from, to }: Axis): number => (span * (value - from)) / (to - from || 1);
  const left = (value: number): string => at(PAD + place(value, x));
  const top = (value: number): string => at(SIZE - PAD - place(value, y));
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const number = (value: number): string => value.toFixed(2);
  const body = [
    `<path class="axis" d="M${PAD} ${PAD}V${SIZE - PAD}H${SIZE - PAD}"/>`,
    ...ticks.flatMap((share) => {
      const [valueX, valueY] = [x.from + share * (x.to - x.from), y.from + share * (y.to - y.from)];
      return [
        `<text x="${left(valueX)}" y="${SIZE - PAD + 16}" text-anchor="middle">${number(valueX)}</text>`,
        `<text x="${PAD - 6}" y="${top(valueY)}" text-anchor="end" dominant-baseline="middle">${number(valueY)}</text>`,
      ];
    }),
    `<text x="${SIZE / 2}" y="${SIZE - 10}" text-anchor="middle">${escapeXml(x.name)}</text>`,
    `<text transform="translate(12 ${SIZE / 2}) rotate(-90)" text-anchor="middle">${escapeXml(y.name)}</text>`,
    ...(options.diagonal ? [`<path class="faint" d="M${PAD} ${SIZE - PAD}L${SIZE - PAD} ${PAD}"/>`] : []),
    ...points.flatMap(({ x: px, interval }) =>
      interval ? [`<path class="axis" d="M${left(px)} ${top(interval[0])}V${top(interval[1])}"/>`] : [],
    ),
    ...(points.length > 1
      ? [`<path class="line" d="M${points.map((p) => `${left(p.x)} ${top(p.y)}`).join('L')}"/>`]
      : []),
    ...(options.dots
      ? points.map((p) => `<circle class="dot" cx="${left(p.x)}" cy="${top(p.y)}" r="3"/>`)
      : []),
  ];
  return svg(title, SIZE, SIZE, body);
}

const CELL = 96;
const HEAD = 120;

/** Counts by truth (rows) and answer (columns); the share of its row shades a cell, the count stands in it. */
export function confusionChart(
  title: string,
  classes: readonly string[],
  counts: readonly (readonly number[])[],
): string {
  const side = HEAD + CELL * classes.length;
  const middle = (k: number): number => HEAD + CELL * (k + 0.5);
  const body = [
    `<text x="${HEAD + (CELL * classes.length) / 2}" y="44" text-anchor="middle">answer</text>`,
    `<text x="8" y="${HEAD - 8}">truth</text>`,
    ...classes.map(
      (name, k) => `<text x="${middle(k)}" y="${HEAD - 24}" text-anchor="middle">${escapeXml(name)}</text>`,
    ),
    ...classes.map(
      (name, k) => `<text x="8" y="${middle(k)}" dominant-baseline="middle">${escapeXml(name)}</text>`,
    ),
    ...counts.flatMap((row, i) => {
      const total = row.reduce((sum, count) => sum + count, 0);
      return row.flatMap((count, k) => {
        const share = total === 0 ? 0 : count / total;
        return [
          `<rect class="axis" x="${HEAD + CELL * k}" y="${HEAD + CELL * i}" width="${CELL}" height="${CELL}"/>`,
          `<rect class="dot" x="${HEAD + CELL * k}" y="${HEAD + CELL * i}" width="${CELL}" height="${CELL}" opacity="${at(share * 0.5)}"/>`,
          `<text x="${middle(k)}" y="${middle(i) - 8}" text-anchor="middle">${count}</text>`,
          `<text x="${middle(k)}" y="${middle(i) + 10}" text-anchor="middle">${(100 * share).toFixed(1)} %</text>`,
        ];
      });
    }),
  ];
  return svg(title, side + 16, side + 16, body);
}
