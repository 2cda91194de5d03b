/** The pictures of the sample disaster, drawn as SVG. Nothing here is a photograph or made from one. */

const W = 640;
const H = 428;

/** mulberry32, as src/base/random.ts; scripts stand alone. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const svg = (...parts) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${W}" height="${H}" viewBox="0 0 ${W} ${H}">${parts.flat(9).join('')}</svg>`;
const r1 = (n) => Math.round(n * 10) / 10;
const rect = (x, y, w, h, fill, more = '') =>
  `<rect x="${r1(x)}" y="${r1(y)}" width="${r1(w)}" height="${r1(h)}" fill="${fill}" ${more}/>`;
const path = (d, fill, more = '') => `<path d="${d}" fill="${fill}" ${more}/>`;
const circle = (x, y, r, fill, more = '') =>
  `<circle cx="${r1(x)}" cy="${r1(y)}" r="${r1(r)}" fill="${fill}" ${more}/>`;
const text = (x, y, size, fill, words, more = '') =>
  `<text x="${x}" y="${y}" font-family="DejaVu Sans, Verdana, sans-serif" font-size="${size}" fill="${fill}" ${more}>${words}</text>`;
const group = (transform, ...parts) => `<g transform="${transform}">${parts.flat(9).join('')}</g>`;

function gradient(id, ...stops) {
  const colours = stops.map(
    (c, i) => `<stop offset="${Math.round((i * 100) / (stops.length - 1))}%" stop-color="${c}"/>`,
  );
  return `<defs><linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1">${colours.join('')}</linearGradient></defs>`;
}

const sky = (...stops) => [gradient('sky', ...stops), rect(0, 0, W, H, 'url(#sky)')];
const DUSK = ['#2b3350', '#56618a', '#c98f7a'];
const STORM = ['#39434f', '#5d6a76', '#8b9698'];
const NIGHT = ['#080d1c', '#121a33', '#26304d'];

function rain(random, count, colour = '#dfe8f2', opacity = 0.35) {
  const drops = Array.from({ length: count }, () => {
    const x = random() * (W + 60) - 30;
    const y = random() * H;
    const l = 10 + random() * 16;
    return `M${r1(x)} ${r1(y)}l${r1(-l * 0.25)} ${r1(l)}`;
  });
  return `<path d="${drops.join('')}" stroke="${colour}" stroke-width="1.2" opacity="${opacity}" fill="none"/>`;
}

function ridge(random, base, height, colour, steps = 9) {
  let d = `M0 ${H}L0 ${r1(base - height * random())}`;
  for (let i = 1; i <= steps; i += 1) {
    const x = (W * i) / steps;
    d += `Q${r1(x - W / steps / 2)} ${r1(base - height * (0.3 + random()))} ${r1(x)} ${r1(base - height * random() * 0.8)}`;
  }
  return path(`${d}L${W} ${H}Z`, colour);
}

function water(random, y, top, bottom, waves = 26) {
  const ripples = Array.from({ length: waves }, () => {
    const wy = y + 8 + (random() * (H - y)) ** 1;
    const depth = (wy - y) / (H - y);
    const x = random() * W - 40;
    const l = 30 + 90 * depth * random() + 20;
    return `<path d="M${r1(x)} ${r1(wy)}q${r1(l / 4)} ${r1(-4 - 5 * depth)} ${r1(l / 2)} 0t${r1(l / 2)} 0" stroke="#fff" stroke-width="${r1(1 + 1.6 * depth)}" opacity="${r1(0.15 + 0.25 * depth)}" fill="none"/>`;
  });
  return [gradient('water', top, bottom), rect(0, y, W, H - y, 'url(#water)'), ripples];
}

function house(x, ground, w, h, wall, roof, { lit = 0.3, random, door = true } = {}) {
  const parts = [
    rect(x, ground - h, w, h, wall),
    path(
      `M${x - 8} ${ground - h}L${r1(x + w / 2)} ${r1(ground - h - w * 0.32)}L${x + w + 8} ${ground - h}Z`,
      roof,
    ),
  ];
  for (let row = 0; row < Math.floor(h / 46); row += 1)
    for (let col = 0; col < Math.floor(w / 32); col += 1)
      parts.push(
        rect(
          x + 10 + col * 32,
          ground - h + 14 + row * 46,
          16,
          24,
          random() < lit ? '#ffd98a' : '#33405a',
          'rx="1.5" stroke="#ffffff55"',
        ),
      );
  if (door) parts.push(rect(x + w / 2 - 9, ground - 34, 18, 34, '#4a2f27'));
  return parts;
}

const WALLS = ['#c9a58a', '#b7887a', '#8f9aa8', '#d8c3a0', '#a8b2a1', '#c77f63'];
const ROOFS = ['#7a3b2e', '#5d4038', '#6b4a4a', '#47505c'];

function terrace(random, ground, options = {}) {
  const parts = [];
  for (let x = -20; x < W; ) {
    const w = 74 + Math.floor(random() * 3) * 32;
    const h = 120 + Math.floor(random() * 3) * 46;
    parts.push(
      house(
        x,
        ground,
        w,
        h,
        WALLS[Math.floor(random() * WALLS.length)],
        ROOFS[Math.floor(random() * ROOFS.length)],
        { random, ...options },
      ),
    );
    x += w + 4;
  }
  return parts;
}

function car(x, y, colour, tilt = 0) {
  return group(
    `translate(${x} ${y}) rotate(${tilt})`,
    path('M-52 0q0-16 14-18l14-20q4-6 14-6h30q10 0 16 8l14 18q14 2 14 18v10h-116z', colour),
    path('M-20-22l10-14h14v14zM8-22v-14h10l12 14z', '#bcd3e4'),
    circle(-30, 10, 11, '#222'),
    circle(34, 10, 11, '#222'),
    circle(56, -6, 3, '#ffe9a8'),
  );
}

function person(x, y, size, coat, skin = '#d9a982') {
  return group(
    `translate(${x} ${y}) scale(${size})`,
    circle(0, -34, 8, skin),
    path('M-9-25q9-5 18 0l5 25h-28z', coat),
    rect(-7, 0, 5, 16, '#26303d'),
    rect(2, 0, 5, 16, '#26303d'),
  );
}

function tree(x, y, size, colour = '#2c4a39') {
  return group(
    `translate(${x} ${y}) scale(${size})`,
    rect(-3, -22, 6, 22, '#3c2b21'),
    path('M0-90L24-40H-24ZM0-66L28-16H-28Z', colour),
  );
}

function boat(x, y, size, people) {
  const coats = ['#e0552f', '#3f6fb0', '#e8b13a', '#5b8f5a', '#b4507a'];
  return group(
    `translate(${x} ${y}) scale(${size})`,
    people.map((_, i) => person(-48 + i * 30, -10, 0.9, coats[i % coats.length])),
    path('M-84-12h168q-6 30-34 32h-98q-30-2-36-32z', '#e2622d'),
    path('M-84-12h168l-3 8h-162z', '#f4f1ea'),
    text(-30, 10, 13, '#fff', 'RESCUE', 'font-weight="bold"'),
  );
}

function flame(x, y, size) {
  return group(
    `translate(${x} ${y}) scale(${size})`,
    path('M0 0c-34-10-26-50-8-70 2 18 14 20 12 2 24 20 32 58-4 68z', '#f05a22'),
    path('M0-2c-18-6-14-28-4-40 2 10 8 12 8 2 12 12 14 32-4 38z', '#ffd24a'),
  );
}

function crocodile(x, y, size) {
  const bumps = 'l7-9l7 9'.repeat(9);
  return group(
    `translate(${x} ${y}) scale(${size})`,
    path(`M-150 8q20-18 60-18${bumps}q40 6 78-2l-4 10q-60 14-130 12q-80 2-130-2z`, '#3f5a34'),
    path('M64-10q40-14 96-8q14 2 12 8q-52 12-104 14z', '#4b6a3d'),
    circle(72, -16, 8, '#4b6a3d'),
    circle(74, -18, 3.4, '#f4e27a'),
    `<path d="M84 2l6 7l6-8l6 7l6-8l6 7l6-8l6 7l6-9l6 6" stroke="#f5f3e6" stroke-width="2.4" fill="none"/>`,
  );
}

function card(colour, head, lines, { badge = '!' } = {}) {
  return svg(
    rect(0, 0, W, H, '#f6f4ee'),
    rect(0, 0, W, 96, colour),
    circle(62, 48, 28, '#fff'),
    text(62, 59, 34, colour, badge, 'text-anchor="middle" font-weight="bold"'),
    text(108, 60, 31, '#fff', head, 'font-weight="bold"'),
    lines.map((line, i) => text(40, 152 + i * 44, i === 0 ? 26 : 22, i === 0 ? '#111' : '#333', line)),
    text(40, H - 24, 15, '#777', 'Valdora is a made-up place. Part of the Tocsin sample.'),
  );
}

function mapOf(closures, slide) {
  const random = seeded(slide ? 77 : 76);
  const cross = ([x, y]) =>
    group(`translate(${x} ${y})`, circle(0, 0, 15, '#c62828'), rect(-10, -3.2, 20, 6.4, '#fff'));
  return svg(
    rect(0, 0, W, H, '#e9ecdf'),
    ridge(random, 120, 70, '#d3ddc3'),
    rect(0, 170, W, H, '#eef0e6'),
    `<path d="M-10 330C120 300 170 250 260 260S420 330 660 250" stroke="#7fb0d8" stroke-width="26" fill="none"/>`,
    slide
      ? ''
      : `<path d="M120 300C200 250 250 250 330 275S420 320 470 300" stroke="#4d8fc7" stroke-width="60" opacity=".35" fill="none"/>`,
    `<path d="M-10 380C150 340 300 350 660 330" stroke="#f2b233" stroke-width="9" fill="none"/>`,
    `<path d="M60 -10C110 110 210 170 240 200S300 300 320 440" stroke="#fff" stroke-width="9" fill="none"/>`,
    `<path d="M240 200C330 170 420 110 560 60" stroke="#fff" stroke-width="8" fill="none"/>`,
    text(470, 352, 17, '#7a5a00', 'R14'),
    text(392, 118, 17, '#555', 'B7'),
    text(236, 246, 20, '#222', 'Valdora', 'font-weight="bold"'),
    text(66, 318, 15, '#333', 'Molino Viejo'),
    text(474, 74, 15, '#333', 'Fontmere'),
    text(500, 236, 15, '#335', 'Lirna', 'font-style="italic"'),
    slide ? path('M470 20l70-6l10 70l-46 34l-50-40z', '#9c6b3f', 'opacity=".6"') : '',
    closures.map(cross),
    rect(0, 0, W, 46, '#27374d'),
    text(
      18,
      31,
      21,
      '#fff',
      slide ? 'Roads closed · landslide' : 'Roads closed · 18:00',
      'font-weight="bold"',
    ),
  );
}

function radar() {
  const random = seeded(5);
  const cells = Array.from({ length: 46 }, () => {
    const a = random() * 6.3;
    const d = random() ** 0.7 * 150;
    const strong = 1 - d / 170;
    const colour =
      strong > 0.75 ? '#e53935' : strong > 0.5 ? '#fb8c00' : strong > 0.3 ? '#fdd835' : '#43a047';
    return `<ellipse cx="${r1(350 + Math.cos(a) * d * 1.3)}" cy="${r1(210 + Math.sin(a) * d * 0.7)}" rx="${r1(18 + random() * 34)}" ry="${r1(12 + random() * 22)}" fill="${colour}" opacity=".55"/>`;
  });
  return svg(
    rect(0, 0, W, H, '#10202b'),
    [60, 120, 180, 240].map((r) => circle(320, 214, r, 'none', 'stroke="#2d4a5a"')),
    `<path d="M320 0V428M0 214H640" stroke="#2d4a5a"/>`,
    cells,
    `<path d="M-10 300C160 290 260 220 360 230S520 160 660 150" stroke="#9fd0ee" stroke-width="3" fill="none" opacity=".8"/>`,
    circle(330, 226, 5, '#fff'),
    text(342, 222, 16, '#fff', 'Valdora'),
    text(16, 30, 18, '#cfe6f2', 'Rain radar 17:05  ·  mm/h'),
  );
}

function levelChart(peak) {
  const levels = peak
    ? [2.1, 2.2, 2.3, 2.8, 3.7, 4.3, 4.7, 5.1, 5.38]
    : [2.0, 2.05, 2.1, 2.1, 2.2, 2.31, 2.5, 2.78, 3.66];
  const x = (i) => 70 + i * 64;
  const y = (v) => 370 - (v - 1.5) * 74;
  const line = levels.map((v, i) => `${i ? 'L' : 'M'}${x(i)} ${r1(y(v))}`).join('');
  return svg(
    rect(0, 0, W, H, '#fbfcfd'),
    [2, 3, 4, 5].map((v) => [
      `<path d="M60 ${r1(y(v))}H610" stroke="#dde3e8"/>`,
      text(24, r1(y(v) + 5), 15, '#667', `${v} m`),
    ]),
    `<path d="M60 ${r1(y(4.2))}H610" stroke="#c62828" stroke-width="2" stroke-dasharray="8 5"/>`,
    text(430, r1(y(4.2) - 7), 15, '#c62828', 'bank-full 4.20 m'),
    path(`${line}L${x(8)} 370L${x(0)} 370Z`, '#4d8fc7', 'opacity=".25"'),
    `<path d="${line}" stroke="#1f5f99" stroke-width="4" fill="none"/>`,
    circle(x(8), y(levels[8]), 7, '#1f5f99'),
    text(x(8) - 66, y(levels[8]) - 14, 19, '#1f5f99', `${levels[8].toFixed(2)} m`, 'font-weight="bold"'),
    text(24, 34, 20, '#223', 'Lirna at Ponte Rosso', 'font-weight="bold"'),
  );
}

function street(seed, { skyColours = DUSK, level = 0.62, more = () => '' } = {}) {
  const random = seeded(seed);
  const y = H * level;
  return svg(
    sky(...skyColours),
    ridge(random, 190, 60, '#3b4763'),
    terrace(random, y + 36, { lit: 0.35, door: false }),
    water(random, y, '#7c6a52', '#4a3f34'),
    more(random, y),
    rain(random, 130),
  );
}

function bridge(broken) {
  const random = seeded(31);
  const arch = (x, w) => path(`M${x} 300V214h${w}v86q0-58-${w / 2}-58t-${w / 2} 58z`, '#a4402f');
  return svg(
    sky(...(broken ? NIGHT : DUSK)),
    ridge(random, 200, 80, broken ? '#10182b' : '#4a567a'),
    water(random, 286, broken ? '#4a4238' : '#7a6a54', broken ? '#221d18' : '#4d4337'),
    arch(-30, 170),
    broken ? '' : arch(235, 170),
    arch(500, 190),
    rect(-10, 200, broken ? 190 : 700, 18, '#8a3325'),
    broken ? rect(470, 200, 200, 18, '#8a3325') : '',
    broken
      ? [
          path('M180 200l26 14l-12 20l22 26l-40 40h-36v-86h40z', '#8a3325'),
          path('M470 200l-24 22l14 18l-20 30l36 30h30v-86h-36z', '#8a3325'),
          group(
            'translate(320 318) rotate(-14)',
            rect(-90, -9, 180, 18, '#3b2b1e'),
            rect(-20, -40, 8, 34, '#3b2b1e'),
          ),
          path('M262 330l34-26l30 20l-14 18z', '#7d2f22'),
          circle(560, 150, 3, '#ffe9a8'),
          path('M560 150L470 330L560 330Z', '#ffe9a8', 'opacity=".12"'),
        ]
      : [car(330, 188, '#4d7ea8'), car(120, 188, '#c9a227')],
    rain(random, 90),
  );
}

function landslide(kind) {
  const random = seeded(kind === 'houses' ? 41 : 42);
  const rocks = Array.from({ length: 40 }, () =>
    circle(
      150 + random() * 380,
      230 + random() * 180,
      3 + random() * 15,
      random() < 0.5 ? '#5a3f28' : '#7b5a3b',
    ),
  );
  const trunks = Array.from({ length: 9 }, () =>
    group(
      `translate(${r1(180 + random() * 320)} ${r1(240 + random() * 150)}) rotate(${r1(random() * 180)})`,
      rect(-46, -4, 92, 8, '#3a281a'),
    ),
  );
  return svg(
    sky(...(kind === 'houses' ? ['#131a2d', '#29334e', '#4d5468'] : STORM)),
    ridge(random, 210, 150, '#2f4636', 5),
    [40, 90, 140, 520, 570, 615].map((x) => tree(x, 240 + random() * 30, 0.9 + random() * 0.4)),
    path('M250 40Q330 120 300 210T170 428H560Q520 320 420 220T350 40Z', '#6b4a2f'),
    path('M270 70Q330 140 320 220T240 428H330Q360 300 350 220T320 70Z', '#83603f'),
    kind === 'houses'
      ? [
          house(40, 372, 106, 110, '#b7887a', '#5d4038', { random, lit: 0.6 }),
          group(
            'translate(300 330) rotate(17)',
            house(-60, 60, 106, 92, '#c9a58a', '#7a3b2e', { random, lit: 0 }),
          ),
          group(
            'translate(470 372) rotate(-24)',
            path('M-60 0L0-42L60 0Z', '#6b4a4a'),
            rect(-46, 0, 92, 30, '#8f9aa8'),
          ),
        ]
      : [
          path('M0 330Q180 310 260 350L240 428H0Z', '#4b4f55'),
          path('M640 340Q520 320 450 360L470 428H640Z', '#4b4f55'),
          `<path d="M20 372Q140 350 230 378M620 386Q540 366 480 384" stroke="#e8d44d" stroke-width="4" stroke-dasharray="22 16" fill="none"/>`,
        ],
    rocks,
    trunks,
    rain(random, 80),
  );
}

function hospital(onFire) {
  const random = seeded(51);
  const windows = [];
  for (let row = 0; row < 4; row += 1)
    for (let col = 0; col < 11; col += 1)
      windows.push(rect(96 + col * 42, 168 + row * 44, 24, 26, random() < 0.75 ? '#ffe7ad' : '#44506a'));
  return svg(
    sky(...NIGHT),
    ridge(random, 200, 60, '#0f172a'),
    rect(70, 140, 500, 220, '#c8cdd2'),
    rect(60, 128, 520, 16, '#9aa3ab'),
    windows,
    rect(286, 300, 70, 60, '#5f7f95'),
    rect(300, 84, 44, 44, '#fff'),
    rect(316, 90, 12, 32, '#c62828'),
    rect(306, 100, 32, 12, '#c62828'),
    rect(0, 360, W, 70, '#3a3f47'),
    path('M0 384q160-10 320 0t320 0v44h-640z', '#5d6a74', 'opacity=".8"'),
    text(320, 402, 19, '#e5e9ec', 'St. Amata', 'text-anchor="middle"'),
    onFire
      ? [
          [120, 190, 250, 420, 500, 545].map((x, i) => flame(x, 132, 0.9 + (i % 3) * 0.35)),
          path('M80 90Q200 -30 340 40T640 0V0H60Z', '#20201f', 'opacity=".7"'),
          rect(0, 0, W, H, '#ff5a1f', 'opacity=".1"'),
        ]
      : '',
    rain(random, 70),
  );
}

const signOf = (words) => [
  rect(36, 60, 150, 46, '#1d4f3a', 'rx="4"'),
  text(111, 91, 24, '#f4efe0', words, 'text-anchor="middle" font-weight="bold"'),
];

/** Every scene by name → SVG. */
export const SCENES = {
  'flooded-street': () =>
    street(1, { more: (_, y) => [car(180, y + 60, '#b23a34', -6), car(430, y + 34, '#4d7ea8', 5)] }),
  'flooded-street-2': () =>
    street(2, {
      skyColours: ['#1b2340', '#3d4a72', '#a8705f'],
      level: 0.56,
      more: (_, y) => [
        rect(300, y - 70, 5, 110, '#333'),
        circle(303, y - 76, 12, '#ffe08a'),
        circle(303, y - 76, 44, '#ffe08a', 'opacity=".18"'),
      ],
    }),
  'car-water': () =>
    street(3, { level: 0.5, skyColours: STORM, more: (_, y) => car(320, y + 80, '#c0392b', -14) }),
  'rescue-boat': () => street(4, { level: 0.58, more: (_, y) => boat(330, y + 92, 1.45, [1, 2, 3, 4]) }),
  dog: () =>
    street(6, {
      level: 0.5,
      skyColours: STORM,
      more: (_, y) =>
        group(
          `translate(320 ${y + 96}) scale(1.7)`,
          path('M-60 6q10-24 50-22t60 4q8 8 6 18z', '#8a5a34'),
          circle(56, -16, 20, '#8a5a34'),
          path('M42-30l-10 22l16-4zM68-32l14 18l-16-2z', '#6a4326'),
          circle(62, -18, 3, '#111'),
          circle(76, -10, 4, '#111'),
          rect(36, -2, 26, 6, '#c62828'),
        ),
    }),
  crocodile: () =>
    street(7, {
      level: 0.48,
      skyColours: ['#5c7f93', '#93aeb5', '#d7c9a5'],
      more: (_, y) => [crocodile(300, y + 120, 1.5), signOf('FARMACIA')],
    }),
  helicopter: () => {
    const random = seeded(8);
    return svg(
      sky(...STORM),
      ridge(random, 240, 90, '#43524f'),
      water(random, 318, '#7a6a54', '#4d4337'),
      rect(210, 268, 220, 70, '#8d9a86'),
      path('M200 268L320 226L440 268Z', '#64705f'),
      [250, 290, 330, 370].map((x, i) =>
        person(x, 262, 0.7, ['#e0552f', '#3f6fb0', '#e8b13a', '#5b8f5a'][i]),
      ),
      group(
        'translate(320 92) scale(1.5)',
        path('M-46 0q0-24 40-24q34 0 44 24q-10 22-44 22q-40 0-40-22z', '#d84315'),
        path('M36-6l74-10v10l-72 12z', '#bf360c'),
        rect(-92, -34, 184, 4, '#333'),
        rect(-3, -34, 6, 12, '#333'),
        path('M-40-2q2-16 24-18v20z', '#cfe6f2'),
      ),
      `<path d="M320 124L326 244" stroke="#222" stroke-width="2"/>`,
      rain(random, 110),
    );
  },
  radar,
  gauge: () =>
    svg(
      sky(...STORM),
      water(seeded(9), 250, '#6f6350', '#4a4136', 40),
      rect(270, 40, 90, 388, '#f4f1ea'),
      Array.from({ length: 9 }, (_, i) => [
        rect(270, 52 + i * 42, i % 2 ? 30 : 52, 8, '#1a2430'),
        text(330, 64 + i * 42, 20, '#b71c1c', String(6 - i), 'font-weight="bold"'),
      ]),
      path('M0 268q80-16 160 0t160 0t160 0t160 0v160h-640z', '#6f6350', 'opacity=".9"'),
      rain(seeded(10), 100),
    ),
  'level-chart': () => levelChart(true),
  'map-closures': () =>
    mapOf(
      [
        [150, 352],
        [520, 334],
        [286, 268],
        [314, 352],
      ],
      false,
    ),
  'map-landslide': () =>
    mapOf(
      [
        [500, 82],
        [420, 122],
        [520, 334],
      ],
      true,
    ),
  'warning-red': () =>
    card('#c62828', 'RED WARNING · FLOOD', [
      'Lower Lirna valley, 17:50 – 24:00',
      '• Go to an upper floor now',
      '• Keep out of basements and garages',
      '• Do not drive',
      '• Help neighbours who cannot climb stairs',
    ]),
  'boil-notice': () =>
    card(
      '#1565c0',
      'TAP WATER',
      [
        'Lower Les Saules only: boil for 3 min',
        'until Monday, as a precaution',
        'All other districts: safe to drink',
        'No illness has been reported',
      ],
      { badge: 'i' },
    ),
  'bridge-standing': () => bridge(false),
  'bridge-out': () => bridge(true),
  'landslide-houses': () => landslide('houses'),
  'landslide-road': () => landslide('road'),
  hospital: () => hospital(false),
  'hospital-fire': () => hospital(true),
  dam: () =>
    svg(
      sky('#6d87a0', '#a9bccb', '#e2d9c4'),
      ridge(seeded(11), 190, 120, '#4c6650', 5),
      path('M120 150H520L560 428H80Z', '#b9bdbb'),
      path('M120 150H520V168H120Z', '#989d9c'),
      Array.from({ length: 6 }, (_, i) => path(`M${150 + i * 60} 168l-6 260h3l8-260z`, '#a5aaa8')),
      path('M290 170h60l20 258h-100z', '#e9f3f8', 'opacity=".85"'),
      rect(120, 128, 400, 24, '#5d8fb5'),
      text(430, 410, 18, '#333', '18:32'),
    ),
  sandbags: () => {
    const random = seeded(12);
    const bags = [];
    for (let row = 0; row < 4; row += 1)
      for (let i = 0; i < 9 - row; i += 1)
        bags.push(
          `<rect x="${70 + i * 54 + row * 27}" y="${370 - row * 32}" width="52" height="30" rx="13" fill="${random() < 0.5 ? '#c2a878' : '#b0946a'}" stroke="#8a714c"/>`,
        );
    return svg(
      sky(...DUSK),
      terrace(random, 300, { lit: 0.5 }),
      rect(0, 300, W, 130, '#5d6066'),
      [110, 250, 480, 560].map((x, i) =>
        person(x, 318, 1.5, ['#3f6fb0', '#e8b13a', '#b4507a', '#5b8f5a'][i]),
      ),
      bags,
      rain(random, 110),
    );
  },
  shelter: () => {
    const random = seeded(13);
    const beds = [];
    for (let row = 0; row < 3; row += 1)
      for (let i = 0; i < 6; i += 1)
        beds.push(
          group(
            `translate(${50 + i * 98 + row * 10} ${250 + row * 58}) scale(${0.8 + row * 0.15})`,
            rect(
              0,
              0,
              84,
              22,
              ['#6f93b5', '#b5846f', '#8aa67a', '#b5a36f'][Math.floor(random() * 4)],
              'rx="4"',
            ),
            rect(2, 3, 20, 15, '#fff', 'rx="3"'),
          ),
        );
    return svg(
      rect(0, 0, W, H, '#d9c7a2'),
      rect(0, 0, W, 190, '#e9e2d2'),
      [80, 240, 400, 560].map((x) => [
        rect(x - 50, 16, 100, 10, '#fff8e0'),
        path(`M${x - 50} 26L${x - 110} 190H${x + 110}L${x + 50} 26Z`, '#fff8e0', 'opacity=".35"'),
      ]),
      rect(296, 70, 50, 40, '#fff', 'stroke="#c62828" stroke-width="3"'),
      circle(321, 122, 14, 'none', 'stroke="#c62828" stroke-width="3"'),
      `<path d="M0 300H640M320 190V428" stroke="#b89c66" stroke-width="3"/>`,
      beds,
      [90, 210, 380, 520].map((x, i) => person(x, 226, 1.1, ['#e0552f', '#3f6fb0', '#e8b13a', '#5b8f5a'][i])),
    );
  },
  'power-out': () => {
    const random = seeded(14);
    const lights = Array.from({ length: 130 }, () => {
      const x = random() * W;
      return x < 250 + random() * 30 ? '' : circle(x, 230 + random() * 150, 1.5 + random() * 2, '#ffdf8e');
    });
    return svg(
      sky(...NIGHT),
      ridge(random, 210, 70, '#0b1122'),
      rect(0, 230, W, 200, '#0d1424'),
      lights,
      path('M0 220H270L250 428H0Z', '#05080f'),
      rain(random, 60),
    );
  },
  'night-search': () => {
    const random = seeded(15);
    return svg(
      sky(...NIGHT),
      ridge(random, 230, 150, '#0c1322', 4),
      path('M150 428Q260 260 330 220T560 428Z', '#3b2a1c'),
      [120, 420, 560].map((x) => [
        rect(x, 180, 5, 150, '#444'),
        path(
          `M${x} 178L${x + (x < 300 ? 260 : -260)} 428H${x + (x < 300 ? 60 : -60)}Z`,
          '#fff3c0',
          'opacity=".22"',
        ),
        circle(x + 2, 178, 9, '#fffbe6'),
      ]),
      [230, 280, 340, 400, 450].map((x, i) =>
        person(x, 350 - (i % 2) * 24, 1.05, ['#e0552f', '#e8b13a', '#e0552f', '#3f6fb0', '#e8b13a'][i]),
      ),
      group(
        'translate(320 392) scale(.8)',
        path('M-30 0q6-18 30-16t34 2l10-10l6 12l-10 8v22h-6v-18h-50v18h-6z', '#c98f4a'),
      ),
    );
  },
  supplies: () => {
    const random = seeded(16);
    const boxes = [];
    for (let row = 0; row < 3; row += 1)
      for (let i = 0; i < 6 - row; i += 1)
        boxes.push(
          group(
            `translate(${70 + i * 88 + row * 44} ${330 - row * 74})`,
            rect(0, 0, 84, 70, random() < 0.5 ? '#c79a63' : '#b98b57', 'stroke="#8f6a3f"'),
            rect(36, 0, 12, 70, '#e5cfa4'),
            i % 2 ? path('M20 40h44M42 24v32', 'none', 'stroke="#7a4a2a" stroke-width="4"') : '',
          ),
        );
    return svg(
      rect(0, 0, W, H, '#ead9bd'),
      rect(0, 392, W, 40, '#9b7f5a'),
      boxes,
      [540, 590].map((x, i) => person(x, 366, 1.7, i ? '#5b8f5a' : '#b4507a')),
    );
  },
  'rain-window': () => {
    const random = seeded(17);
    const drops = Array.from({ length: 150 }, () => {
      const r = 1.5 + random() * 4.5;
      return circle(60 + random() * 520, 40 + random() * 320, r, '#dfeaf4', 'opacity=".55"');
    });
    return svg(
      rect(0, 0, W, H, '#5b4636'),
      gradient('pane', '#4a5668', '#75818d'),
      rect(50, 30, 540, 340, 'url(#pane)'),
      [120, 300, 470].map((x) => circle(x, 300, 34, '#ffcf7a', 'opacity=".35"')),
      drops,
      rect(312, 30, 16, 340, '#6b5442'),
      rect(30, 366, 580, 24, '#7a614c'),
      group(
        'translate(150 366)',
        rect(-16, -34, 32, 34, '#c77f63'),
        path(
          'M0-34q-26-30-8-54M0-34q4-40 22-44M0-34q-2-36 0-64',
          'none',
          'stroke="#4d7a4a" stroke-width="6"',
        ),
      ),
    );
  },
  coffee: () =>
    svg(
      rect(0, 0, W, H, '#a97c50'),
      Array.from({ length: 9 }, (_, i) => rect(0, i * 50, W, 2, '#8f653d')),
      circle(320, 220, 150, '#f5f1e8'),
      circle(320, 220, 106, '#fff', 'stroke="#ddd5c5" stroke-width="6"'),
      circle(320, 220, 92, '#6f4325'),
      path('M320 276c-60-40-54-86-24-86c14 0 24 12 24 22c0-10 10-22 24-22c30 0 36 46-24 86z', '#e8cfa6'),
      rect(420, 206, 70, 26, 'none', 'rx="13" stroke="#fff" stroke-width="12"'),
    ),
  cat: () =>
    svg(
      rect(0, 0, W, H, '#c8d6d2'),
      path('M70 200H570Q560 400 320 400T70 200Z', '#f4f6f6', 'stroke="#a9b6b4" stroke-width="6"'),
      rect(300, 40, 24, 110, '#9fabab'),
      path('M300 50H210V86H234V70H300Z', '#9fabab'),
      path('M180 300q10-90 140-92t150 90q-20 70-150 70t-140-68z', '#e39a4b'),
      circle(236, 226, 56, '#e39a4b'),
      path('M190 200l4-56l36 30zM282 200l-4-56l-36 30z', '#cf8437'),
      circle(218, 220, 7, '#243'),
      circle(256, 220, 7, '#243'),
      path('M230 242h14l-7 8z', '#8d3f3a'),
      [0, 1, 2, 3].map((i) =>
        path(`M${330 + i * 34} 216q10 40 0 76`, 'none', 'stroke="#c4762a" stroke-width="10"'),
      ),
    ),
  sunset: () =>
    svg(
      sky('#3b2a5c', '#c0507a', '#ffb35c'),
      circle(430, 286, 58, '#ffe2a1'),
      ridge(seeded(18), 320, 50, '#3a2148'),
      rect(0, 312, W, 120, '#5b2f5e'),
      Array.from({ length: 12 }, (_, i) =>
        rect(360 + (i % 3) * 22, 322 + i * 8, 110 - i * 6, 3, '#ffc98a', 'opacity=".6"'),
      ),
    ),
};
