/**
 * The claim worker's own speed on one core: records/s into the index, the cost of a restart, SimHash of texts.
 * Prints one JSON object. Run: node --import tsx bench/claims.ts [records]
 */
import { cpus } from 'node:os';
import { systemClock } from '../src/base/clock.ts';
import { seededRandom } from '../src/base/random.ts';
import { simhash64 } from '../src/base/simhash.ts';
import { createCodec } from '../src/bus/codec.ts';
import { lineageOf, message, NO_LINEAGE } from '../src/bus/messages.ts';
import type { ReceivedRecord, Transaction } from '../src/bus/port.ts';
import { TOPICS } from '../src/bus/topics.ts';
import { openClaimIndex } from '../src/claims/claim-index.ts';
import { decodeEvidence } from '../src/claims/decode.ts';
import { tell } from '../src/claims/tell.ts';
import type { Evidence } from '../src/event/records.ts';

const COUNT = Number(process.argv[2] ?? 100_000);
const SLICE = 256;
const now = (): number => systemClock.monotonic();
/** Wall clock and the process' own CPU time: on a busy machine only the second says something. */
function timed(work: () => void): { readonly perS: number; readonly perCpuS: number } {
  const began = now();
  const cpu = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(cpu);
  return {
    perS: Math.round((COUNT / (now() - began)) * 1_000),
    perCpuS: Math.round((COUNT / (user + system)) * 1_000_000),
  };
}

const random = seededRandom(7);
const SYLLABLES = 'ka to ri men sul or ba neth flo dis ger am pu vel cho ist wen qua dro lim'.split(' ');
const WORDS = Array.from({ length: 4_000 }, () =>
  Array.from({ length: 1 + Math.floor(random() * 3) }, () => SYLLABLES[Math.floor(random() * 20)]).join(''),
);
const sentence = (): string =>
  Array.from({ length: 14 }, () => WORDS[Math.floor(random() ** 2 * WORDS.length)]).join(' ');
const hex = (): string =>
  Array.from({ length: 2 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');

/** A third of the posts repeat (perhaps slightly changed) an earlier text; every fifth has a picture, often a known one. */
function posts(): Evidence[] {
  const texts: string[] = [];
  const pictures: { hash: string; flipped: string }[] = [];
  return Array.from({ length: COUNT }, (_, i) => {
    const repeats = texts.length > 0 && random() < 0.33;
    const old = texts[Math.floor(random() ** 3 * texts.length)] ?? '';
    const text = repeats ? (random() < 0.5 ? old : `${old}!`) : sentence();
    if (!repeats) texts.push(text);
    const picture =
      pictures.length > 0 && random() < 0.7
        ? pictures[Math.floor(random() ** 2 * pictures.length)]
        : { hash: hex(), flipped: hex() };
    if (picture && random() < 0.2) pictures.push(picture);
    return {
      kind: 'Evidence',
      postId: `post-${i}`,
      revision: 1,
      collection: 'bench',
      createdAt: 1_750_000_000_000 + i * 500,
      text,
      simhash: simhash64(text),
      perceptualHashes: picture && i % 5 === 0 ? [picture] : [],
      storeKeys: i % 5 === 0 ? [hex().repeat(4)] : [],
      authorHash: hex().repeat(2),
      style: { length: text.length },
      informative: 0.5,
    };
  });
}

const codec = createCodec();
const evidence = posts();
const texts = evidence.map(({ text }) => text);
const simhash = timed(() => {
  for (const text of texts) simhash64(text);
});

const records = evidence.map((record, i): ReceivedRecord => {
  const { key, value, headers } = message(codec, TOPICS.evidence, record, {
    key: record.collection,
    id: `${record.postId}/1`,
    source: 'label',
    time: record.createdAt,
    lineage: NO_LINEAGE,
  });
  return { topic: TOPICS.evidence, partition: 0, offset: BigInt(i), key, value, headers, timestamp: 0 };
});

const state = new Map<string, Uint8Array>();
let sent = 0;
let stateWrites = 0;
const transaction: Transaction = {
  send: () => {
    sent += 1;
  },
  putState: (entry, bytes) => {
    stateWrites += 1;
    if (bytes) state.set(entry, bytes);
    else state.delete(entry);
  },
};
const index = openClaimIndex({ upto: 0n, entries: new Map() });
const worked = timed(() => {
  for (let i = 0; i < records.length; i += SLICE) {
    for (const record of records.slice(i, i + SLICE)) {
      // One partition, so that every key lies where it belongs.
      const decoded = decodeEvidence(codec, record, 1);
      if (decoded.kind === 'passed' && decoded.value.kind === 'Evidence')
        index.evidence(decoded.value, lineageOf(record.headers));
    }
    tell(codec, index.finish(0), 0, transaction);
  }
});
const restored = timed(() => openClaimIndex({ upto: BigInt(COUNT), entries: state }));

console.log(
  JSON.stringify({
    name: 'claims',
    cpu: cpus()[0]?.model,
    node: process.version,
    records: COUNT,
    simhashTexts: simhash,
    evidence: worked,
    recordsSent: sent,
    stateWrites,
    stateBytes: [...state].reduce((sum, [entry, bytes]) => sum + entry.length + bytes.length, 0),
    clusters: index.size(),
    restoredPosts: restored,
    rssMb: Math.round(process.memoryUsage.rss() / 1e6),
  }),
);
