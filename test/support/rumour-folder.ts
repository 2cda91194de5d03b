/** A small rumour collection in MediaEval's layout, texts made up and pictures drawn by rule. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { seededRandom } from '../../src/base/random.ts';

const EVENTS = [
  { name: 'harbour_storm', split: 'dev', pictures: 8 },
  { name: 'old_bridge', split: 'dev', pictures: 6 },
  { name: 'hill_quake', split: 'test', pictures: 6 },
];
const POSTS = 10;
const FAKE = [
  'shark swims on the quay',
  'tower falls into the river',
  'whale lies on the school',
  'dam is gone',
];
const REAL = [
  'water stands in the street',
  'bridge is closed',
  'power is out here',
  'people wait at the hall',
];
const TAILS = [
  '',
  '!!',
  'look at this',
  'wow',
  'please share',
  'so sad',
  'from my window',
  'today',
  'again',
  'x',
];
const SIDE = 96;

/** 200 posts, ten to a picture, fake and real by turns. */
export async function writeRumourFolder(dir: string): Promise<void> {
  mkdirSync(join(dir, 'images'), { recursive: true });
  const random = seededRandom(3);
  const rows = ['post_id\tcreated_at\tuser_hash\tevent\tlabel\tsplit\timage_ids\timage_file\ttext'];
  let minute = 0;
  for (const { name, split, pictures } of EVENTS)
    for (let picture = 0; picture < pictures; picture += 1) {
      const fake = picture % 2 === 0;
      const key = `${name}_${picture}`;
      // Checks in chance colours: no two pictures look the same.
      const pixels = Buffer.alloc(SIDE * SIDE * 3);
      const colours = Array.from({ length: 64 * 3 }, () => Math.floor(random() * 256));
      for (let y = 0; y < SIDE; y += 1)
        for (let x = 0; x < SIDE; x += 1)
          for (let c = 0; c < 3; c += 1)
            pixels[(y * SIDE + x) * 3 + c] = colours[((y / 12) | 0) * 24 + ((x / 12) | 0) * 3 + c] as number;
      await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
        .jpeg()
        .toFile(join(dir, 'images', `${key}.jpg`));
      for (let post = 0; post < POSTS; post += 1) {
        minute += 1;
        const time = new Date(Date.UTC(2021, 2, 20, 0, minute)).toISOString();
        const said = (fake ? FAKE : REAL)[(picture >> 1) % 4];
        const text = post === 7 && fake ? 'this is fake' : `${said} ${TAILS[post]} in ${name} ${picture}`;
        rows.push(
          [
            1_000 + minute,
            time,
            `author${minute % 70}`,
            name,
            fake ? 'fake' : 'real',
            split,
            key,
            `images/${key}.jpg`,
            text,
          ].join('\t'),
        );
      }
    }
  writeFileSync(join(dir, 'posts.tsv'), `${rows.join('\n')}\n`);
}
