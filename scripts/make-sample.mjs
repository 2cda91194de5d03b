#!/usr/bin/env node
/**
 * Makes sample/: the posts written in scripts/sample/posts-*.txt as a stream, and the drawn pictures.
 * The posts follow from the seed; the bytes of the pictures depend on the version of librsvg and the fonts here.
 *
 *   node scripts/make-sample.mjs            posts and pictures
 *   node scripts/make-sample.mjs --posts    posts only
 *   node scripts/make-sample.mjs --check    whether sample/posts.jsonl is what would be written
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { buildPosts } from './sample/build-posts.mjs';
import { SCENES } from './sample/scenes.mjs';

const OUT = new URL('../sample/', import.meta.url);
const POSTS = new URL('posts.jsonl', OUT);

const text = buildPosts()
  .map((post) => `${JSON.stringify(post)}\n`)
  .join('');

if (process.argv.includes('--check')) {
  if (readFileSync(POSTS, 'utf8') !== text) {
    console.error('sample/posts.jsonl is not what scripts/make-sample.mjs writes; run it');
    process.exit(3);
  }
} else {
  mkdirSync(new URL('pictures/', OUT), { recursive: true });
  writeFileSync(POSTS, text);
  if (!process.argv.includes('--posts')) await drawPictures();
}

async function drawPictures() {
  const write = (name, bytes) => writeFileSync(new URL(`pictures/${name}.jpg`, OUT), bytes);
  const jpeg = (image, quality) => image.jpeg({ quality, mozjpeg: true }).toBuffer();
  for (const [name, scene] of Object.entries(SCENES))
    write(name, await jpeg(sharp(Buffer.from(scene())), 74));

  // One recycled picture as it goes round: mirrored by one, saved again smaller and worse by the next.
  const crocodile = readFileSync(new URL('pictures/crocodile.jpg', OUT));
  write('crocodile-mirrored', await jpeg(sharp(crocodile).flop(), 68));
  write('crocodile-resaved', await jpeg(sharp(crocodile).resize(420), 38));

  // Pictures that must be refused.
  const street = readFileSync(new URL('pictures/flooded-street.jpg', OUT));
  write('truncated', street.subarray(0, Math.floor(street.length * 0.4)));
  write('page', Buffer.from('<!doctype html><title>Loading …</title><p>Log in to see this picture.\n'));
}
