/** The written posts → one stream in event-time order: times, authors, retweets, copies, edited copies, repeats. */
import { readdirSync, readFileSync } from 'node:fs';
import { AUTHORS, FILLINGS } from './people.mjs';
import { seeded } from './scenes.mjs';

/** 17:00 in Valdora. */
export const START = Date.UTC(2026, 2, 14, 16, 0, 0);
const MINUTES = 240;
const MINUTE = 60_000;
const EVERYDAY = new Set(['everyday', 'noise']);
/** Sections without a moment of their own. */
const EVEN = new Set(['everyday', 'noise', 'rain', 'spam', 'short', 'politics']);
/** Copies made of each line of the section `templates`. */
const PER_TEMPLATE = 5;
const REPEATED_IDS = 12;

/** Reads `## name from to` sections of `language|options|text` lines. */
export function readLines(folder = new URL('.', import.meta.url)) {
  const lines = [];
  for (const file of readdirSync(folder)
    .filter((name) => /^posts-\d+\.txt$/.test(name))
    .sort()) {
    let section = null;
    for (const line of readFileSync(new URL(file, folder), 'utf8').split('\n')) {
      const head = /^## (\S+) (\d+) (\d+)$/.exec(line);
      if (head) section = { name: head[1], from: Number(head[2]), to: Number(head[3]) };
      else if (line !== '' && !line.startsWith('# ')) {
        const [lang, options, ...text] = line.split('|');
        if (!section || text.length === 0) throw new Error(`${file}: cannot read ${line}`);
        const given = Object.fromEntries(
          options
            .split(' ')
            .filter(Boolean)
            .map((option) => option.split('=')),
        );
        lines.push({ section, lang, text: text.join('|'), ...given });
      }
    }
  }
  return lines;
}

/** @returns posts `{id, text, createdAt, author, …}` as JSON-lines records. */
export function buildPosts(seed = 2026) {
  const random = seeded(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const authorOf = (lang, not) => pick(AUTHORS[lang].filter((name) => name !== not));
  const posts = [];
  const add = (minute, lang, author, text, line) => {
    posts.push({
      minute: Math.min(MINUTES - 0.05, minute),
      lang,
      author,
      text,
      pictures: line.p ? line.p.split(',') : [],
      collection: EVERYDAY.has(line.section.name) ? 'everyday' : 'valdora-flood',
    });
  };

  const lines = expand(readLines(), random, pick);
  const times = drawTimes(lines, random);
  for (const [i, line] of lines.entries()) {
    const minute = times[i];
    const author = line.a ?? authorOf(line.lang);
    add(minute, line.lang, author, line.text, line);
    const later = (mean) => minute + 0.4 - Math.log(1 - random()) * mean;
    for (let n = Number(line.rt ?? 0); n > 0; n -= 1)
      add(later(9), line.lang, authorOf(line.lang, author), `RT @${author}: ${line.text}`, line);
    for (let n = Number(line.copy ?? 0); n > 0; n -= 1)
      add(later(11), line.lang, authorOf(line.lang, author), line.text, line);
    for (let n = Number(line.near ?? 0); n > 0; n -= 1)
      add(later(12), line.lang, authorOf(line.lang, author), pick(EDITS)(line.text), line);
  }

  posts.sort((a, b) => a.minute - b.minute);
  const width = String(posts.length).length;
  const stream = posts.map((post, i) => ({
    id: `valdora-${String(i + 1).padStart(width, '0')}`,
    text: post.text,
    createdAt: new Date(START + Math.round(post.minute * MINUTE)).toISOString(),
    author: post.author,
    lang: post.lang,
    collection: post.collection,
    source: 'sample',
    synthetic: true,
    ...(post.pictures.length > 0 ? { media: post.pictures.map(mediaOf) } : {}),
  }));
  return withRepeatedIds(stream, random);
}

/** Sources deliver some posts twice; the label worker must count them once. */
function withRepeatedIds(stream, random) {
  const repeated = [];
  for (let n = 0; n < REPEATED_IDS; n += 1) {
    const post = stream[Math.floor(((n + random()) * stream.length) / REPEATED_IDS)];
    const at = new Date(Date.parse(post.createdAt) + Math.round((0.5 + random() * 2) * MINUTE)).toISOString();
    repeated.push({ ...post, createdAt: at });
  }
  return [...stream, ...repeated].sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
}

const mediaOf = (name) =>
  name === 'unreachable'
    ? { id: 'page', url: 'https://pictures.valdora.invalid/fontmere.jpg' }
    : { id: name.replace(/\.jpg$/, ''), path: `pictures/${name.replace(/\.jpg$/, '')}.jpg` };

/** What people change when they pass a text on. */
const EDITS = [
  (text) => `${text} please share`,
  (text) => `from a family group: ${text}`,
  (text) => text.replace(/!+/g, '!').replace(/^[A-Z]{4,}\b/, (word) => word.toLowerCase()),
  (text) => `${text} #Valdora #flood`,
  (text) => `⚠️ ${text} ⚠️`,
];

/** Fills `{street}` and the like, a few times each. */
function expand(lines, random, pick) {
  return lines.flatMap((line) => {
    if (line.section.name !== 'templates') return [line];
    return Array.from({ length: PER_TEMPLATE }, () => ({
      ...line,
      text: line.text.replace(/\{(\w+)\}/g, (_, name) =>
        name === 'number' ? String(2 + Math.floor(random() * 60)) : pick(FILLINGS[name]),
      ),
    }));
  });
}

/**
 * Lines with `t` keep it (give or take half a minute); the others spread over their section, denser at its middle, and
 * those of one language stay in the order in which they were written, because updates follow on calls for help.
 */
function drawTimes(lines, random) {
  const times = lines.map((line) => (line.t === undefined ? null : Number(line.t) + random() * 0.5));
  const groups = new Map();
  for (const [i, line] of lines.entries()) {
    if (times[i] !== null) continue;
    const key = `${line.section.name} ${line.lang}`;
    groups.set(key, [...(groups.get(key) ?? []), i]);
  }
  for (const members of groups.values()) {
    const { name, from, to } = lines[members[0]].section;
    const place = () => (EVEN.has(name) ? random() : (random() + random()) / 2);
    const drawn = members.map(() => from + (to - from) * place()).sort((a, b) => a - b);
    for (const [n, i] of members.entries()) times[i] = drawn[n];
  }
  return times;
}
