#!/usr/bin/env node
/**
 * Makes test/fixtures/archives/: small archives in the layouts of CrisisMMD, MediaEval and JSON lines. All texts are
 * written for this project, ids are made up, pictures are coloured squares.
 *
 *   node scripts/make-archive-fixtures.mjs
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';

const OUT = fileURLToPath(new URL('../test/fixtures/archives/', import.meta.url));

function write(name, content) {
  const path = join(OUT, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

const tsv = (rows) => `${rows.map((row) => row.join('\t')).join('\n')}\n`;
const square = (r, g, b) =>
  sharp({ create: { width: 48, height: 32, channels: 3, background: { r, g, b } } })
    .jpeg({ quality: 60 })
    .toBuffer();

/** A snowflake of the given time, as tweet ids are made. */
const tweetId = (iso, n) => String(((BigInt(Date.parse(iso)) - 1288834974657n) << 22n) + BigInt(n));

await crisisMmd();
await mediaEval();
await jsonLines();

async function crisisMmd() {
  const head = [
    'tweet_id',
    'image_id',
    'text_info',
    'text_info_conf',
    'image_info',
    'image_info_conf',
    'text_human',
    'text_human_conf',
    'image_human',
    'image_human_conf',
    'image_damage',
    'image_damage_conf',
    'tweet_text',
    'image_path',
  ];
  const events = [
    {
      name: 'california_wildfires',
      day: '10_10_2017',
      tweets: [
        [
          '2017-10-10T04:00:00.125Z',
          'Smoke over the ridge above our road, we are packing the car',
          [[200, 90, 30]],
        ],
        [
          '2017-10-10T04:12:30.000Z',
          '"Evacuate now" says the sheriff, "take the north road"',
          [
            [60, 60, 60],
            [220, 120, 40],
          ],
        ],
        [
          '2017-10-10T04:12:30.000Z',
          'Candle-lit dinner by accident, whole street without power',
          [[250, 200, 90]],
        ],
        ['2017-10-10T06:45:10.500Z', 'Shelter at the county fairground takes horses too', []],
      ],
    },
    {
      name: 'srilanka_floods',
      day: '30_5_2017',
      tweets: [
        [
          '2017-05-30T11:20:00.000Z',
          'River over the road at the second bridge, buses turning back',
          [[90, 110, 130]],
        ],
        [
          '2017-05-30T11:25:00.000Z',
          'Dry rations needed at the temple, about forty families',
          [[120, 100, 60]],
        ],
      ],
    },
  ];
  let n = 0;
  for (const { name, day, tweets } of events) {
    const rows = [head];
    for (const [time, text, pictures] of tweets) {
      n += 1;
      const id = tweetId(time, n);
      const cells = ['informative', '1.0', 'informative', '0.67', 'other_relevant_information', '1.0'];
      const rest = ['not_humanitarian', '0.67', '', '', text];
      for (const [i, colour] of pictures.entries()) {
        const path = `data_image/${name}/${day}/${id}_${i}.jpg`;
        rows.push([id, `${id}_${i}`, ...cells, ...rest, path]);
        write(`crisismmd/${path}`, await square(...colour));
      }
      // Every row of CrisisMMD has a picture; one of these is not in the folder, as happens with partial downloads.
      if (pictures.length === 0)
        rows.push([id, `${id}_0`, ...cells, ...rest, `data_image/${name}/${day}/${id}_0.jpg`]);
    }
    write(`crisismmd/annotations/${name}_final_data.tsv`, tsv(rows));
  }
}

async function mediaEval() {
  const head = [
    'post_id',
    'created_at',
    'user_hash',
    'event',
    'label',
    'split',
    'image_ids',
    'image_file',
    'text',
  ];
  const rows = [
    head,
    [
      '1001',
      '2012-10-29T20:00:00Z',
      'a1b2c3d4e5f6',
      'harbour_storm',
      'fake',
      'dev',
      'storm_fake_01',
      'images/storm_fake_01.jpg',
      'Shark on the quay!! look',
    ],
    [
      '1002',
      '2012-10-29T20:00:40Z',
      '0f0e0d0c0b0a',
      'harbour_storm',
      'fake',
      'dev',
      'storm_fake_01',
      'images/storm_fake_01.jpg',
      'RT @user: Shark on the quay!! look',
    ],
    [
      '1003',
      '2012-10-29T20:05:00Z',
      'a1b2c3d4e5f6',
      'harbour_storm',
      'real',
      'dev',
      'storm_real_01,storm_fake_01',
      'images/storm_real_01.jpg',
      'Waves over the mole, ferry stays in port',
    ],
    [
      '1004',
      '2012-10-29T21:30:00Z',
      '777777777777',
      'harbour_storm',
      'humor',
      'dev',
      '',
      '',
      'my umbrella has filed for divorce',
    ],
    [
      '1005',
      '2014-03-08T02:10:00Z',
      '888888888888',
      'night_lights',
      'fake',
      'test',
      'night_fake_01,night_fake_02',
      'images/night_fake_01.jpg',
      'What is that in the sky over the town',
    ],
  ];
  write('mediaeval/posts.tsv', tsv(rows));
  for (const [name, colour] of [
    ['storm_fake_01', [30, 80, 120]],
    ['storm_real_01', [90, 120, 140]],
    ['night_fake_01', [10, 10, 40]],
  ])
    write(`mediaeval/images/${name}.jpg`, await square(...colour));
}

async function jsonLines() {
  const posts = [
    {
      id: 'j-1',
      text: 'First drops on the market square',
      createdAt: '2024-06-01T10:00:00Z',
      author: 'ana',
      lang: 'en',
      collection: 'square',
    },
    {
      id: 'j-3',
      text: 'Der Keller steht unter Wasser',
      createdAt: 1717236120000,
      lang: 'de-AT',
      source: 'feed',
    },
    {
      id: 'j-2',
      text: 'Two pictures, one here, one elsewhere',
      createdAt: '2024-06-01T10:01:00+00:00',
      media: [{ path: 'pictures/square.jpg' }, { id: 'far', url: 'https://pictures.example.invalid/a.jpg' }],
    },
    {
      id: 4,
      text: '',
      createdAt: '2024-06-01T10:03:00Z',
      media: [{ id: 'only', path: 'pictures/square.jpg' }],
      synthetic: true,
    },
  ];
  const lines = `${posts.map((post) => JSON.stringify(post)).join('\n')}\n`;
  write('jsonl/posts.jsonl', lines);
  write('jsonl-gz/posts.jsonl.gz', gzipSync(`${lines.split('\n')[0]}\n`));
  write('jsonl/pictures/square.jpg', await square(180, 180, 60));
}
