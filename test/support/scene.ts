/** A made-up flood for the page: posts in several languages, pictures, claims and alerts. Everything is invented. */
import sharp from 'sharp';
import { rgbaToThumbHash } from 'thumbhash';
import type { Claim, Label, LabelPicture } from '../../src/event/records.ts';
import type { MediaStore } from '../../src/media/store.ts';
import { alert, claim, label, scored } from './dashboard.ts';

/** Draws a picture, keeps it as a preview and answers what a label says of it. */
export async function drawPicture(media: MediaStore, id: string, hue: number): Promise<LabelPicture> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="224" height="224">
    <defs><linearGradient id="g" x1="0" y1="0" x2="0" y2="1">
      <stop offset="0" stop-color="hsl(${hue},45%,72%)"/><stop offset="0.55" stop-color="hsl(${hue},35%,46%)"/><stop offset="1" stop-color="hsl(${hue + 25},30%,24%)"/>
    </linearGradient></defs>
    <rect width="224" height="224" fill="url(#g)"/>
    <path d="M0 150 L40 118 L74 140 L120 96 L170 142 L224 110 V224 H0Z" fill="hsl(${hue + 40},25%,20%)"/>
    <rect x="58" y="120" width="44" height="46" fill="hsl(${hue + 180},35%,58%)"/><path d="M52 122 L80 98 L108 122Z" fill="hsl(10,45%,38%)"/>
    <rect y="164" width="224" height="60" fill="hsl(${hue + 10},40%,42%)" opacity="0.85"/>
  </svg>`;
  const drawn = sharp(Buffer.from(svg));
  const storeKey = await media.previews.put(await drawn.webp().toBuffer());
  const small = await sharp(Buffer.from(svg)).resize(64, 64).ensureAlpha().raw().toBuffer();
  return { id, outcome: 'ready', reason: null, storeKey, thumbhash: rgbaToThumbHash(64, 64, small) };
}

const TEXTS: readonly (readonly [
  text: string,
  language: string,
  probability: number,
  flags?: readonly string[],
])[] = [
  [
    'Water is over the seats on Mill Lane and still rising. Two people on the roof of the bakery, they need a boat.',
    'en',
    0.97,
  ],
  ['Thinking of everyone back home tonight, stay safe 💙', 'en', 0.08],
  ['Puente de la calle Sauce cerrado al tráfico, desvío por la carretera del norte.', 'es', 0.93],
  [
    'The gym of Harrow School is open as a shelter, blankets and hot food, bring medicine with you.',
    'en',
    0.95,
  ],
  ['anyone know if the trains run tomorrow', 'en', 0.47],
  ['اختبار: الطريق المؤدي إلى المستشفى مغلق بسبب المياه، استخدموا المدخل الشرقي', 'ar', 0.9],
  ['Selling umbrellas 3 for 2, link in bio 🔗', 'en', 0.04],
  [
    'Power is out in the whole of the old town since about five, substation under water according to the fire brigade.',
    'en',
    0.94,
    ['retweet'],
  ],
  ['La digue tient encore mais l’eau arrive par les égouts rue des Tanneurs', 'fr', 0.88],
  ['They say the dam upstream has failed, is that true?? nobody tells us anything', 'en', 0.55],
  ['Straße nach Oberfeld gesperrt, Feuerwehr pumpt. Bitte nicht hinfahren.', 'de', 0.91],
  ['what a year', 'en', 0.11],
];

export interface Scene {
  readonly labels: readonly Label[];
  readonly claims: readonly Claim[];
  readonly alerts: readonly ReturnType<typeof alert>[];
}

/** @param posts how many; the newest was written at `now`, the others before it. */
export async function floodScene(media: MediaStore, posts: number, now: number): Promise<Scene> {
  const pictures = await Promise.all([205, 28, 150, 260].map((hue, i) => drawPicture(media, `m${i}`, hue)));
  const labels: Label[] = [];
  for (let i = 0; i < posts; i += 1) {
    const [text, language, probability, flags = []] = TEXTS[i % TEXTS.length] as (typeof TEXTS)[number];
    const decision = probability > 0.7 ? 'yes' : probability < 0.3 ? 'no' : 'unsure';
    const at = now - (posts - i) * 7_300;
    const withPicture = i % 4 === 0 || i % 12 === 7;
    const refused = i % 12 === 2;
    const pending = i % 12 === 10;
    const base = label(`post-${String(i).padStart(5, '0')}`, {
      createdAt: at - 900,
      receivedAt: at - 180,
      text: i < TEXTS.length ? text : `${text}`,
      language,
      flags,
      tasks: [scored(probability, decision, decision === 'unsure' ? ['few_known_words'] : [])],
      pictures: pending
        ? [{ id: 'm0', outcome: 'pending', reason: null, storeKey: null, thumbhash: null }]
        : refused
          ? [{ id: 'm0', outcome: 'refused', reason: 'host_unreachable', storeKey: null, thumbhash: null }]
          : withPicture
            ? [pictures[i % pictures.length] as LabelPicture]
            : [],
    });
    labels.push(base);
    if (withPicture || refused)
      labels.push({ ...base, revision: 2, modalities: withPicture ? ['text', 'image'] : ['text'] });
  }
  const storeKeys = pictures.map((picture) => picture.storeKey as string);
  return {
    labels,
    claims: [
      claim('claim-dam', {
        headline: 'They say the dam upstream has failed, everybody must leave the valley now',
        posts: 148,
        authors: 96,
        firstSeen: now - 5_400_000,
        lastSeen: now - 4_000,
        storeKeys: storeKeys.slice(0, 3),
      }),
      claim('claim-shelter', {
        headline: 'The gym of Harrow School is open as a shelter, blankets and hot food',
        posts: 41,
        authors: 38,
        firstSeen: now - 9_000_000,
        lastSeen: now - 60_000,
        ruling: { id: 'r1', ruling: 'true', by: 'coordinator', at: now - 720_000 },
      }),
      claim('claim-shark', {
        headline: 'Shark swimming in the main street, look at this picture',
        posts: 23,
        authors: 4,
        firstSeen: now - 1_200_000,
        lastSeen: now - 30_000,
        storeKeys: storeKeys.slice(3),
      }),
      claim('claim-water', { headline: 'Do not drink the tap water in the old town', posts: 6, authors: 6 }),
    ],
    alerts: [
      alert('surge:claim-dam', {
        claimIds: ['claim-dam'],
        summary: '“They say the dam upstream has failed” grows 9 times faster than is usual in flood-2026.',
        since: now - 300_000,
        at: now - 20_000,
      }),
    ],
  };
}
