/**
 * Adversarial samples against the champion: Eq. 2 on every post of the round, and nothing else, because all other attacks are
 * the gate's to judge by. Each goes to crisis.adversarial.v1, marked as what it is, and to a file of the round, from which
 * training takes it. A chunk that was told but not yet written down when the process died is told again under the same ids.
 */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Attack, Audit, Posts, Victim } from '../adversarial/attack.ts';
import { slicePosts } from '../adversarial/posts.ts';
import { WORD_DEFAULTS, wordReplacement } from '../adversarial/words.ts';
import { seededRandom } from '../base/random.ts';
import type { Codec } from '../bus/codec.ts';
import { message, NO_LINEAGE } from '../bus/messages.ts';
import type { Bus, OutgoingRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import { failPoint } from '../config/fail-point.ts';
import type { AdversarialSample, ModelRef } from '../event/records.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Vocabulary } from '../models/port.ts';
import { MAX_WORDS } from '../models/words.ts';
import type { Pause } from './pause.ts';
import type { RoundPlan } from './plan.ts';
import { readWholeLines } from './whole-lines.ts';

/** Group and service name. */
export const SIDECAR_SERVICE = 'sidecar';

/** Posts that are crafted, told and written down at once. */
const CHUNK = 100;
const BUDGET = `epsilon ${WORD_DEFAULTS.epsilon}, tau ${WORD_DEFAULTS.tau}, n ${WORD_DEFAULTS.candidates}`;

export interface CraftDeps {
  readonly tf: Tf;
  readonly bus: Pick<Bus, 'produce'>;
  readonly codec: Codec;
  readonly metrics: Metrics;
  readonly pause: Pause;
  /** The champion, and its calibrated probabilities of yes. */
  readonly victim: Victim;
  readonly model: ModelRef;
  readonly probabilities: (posts: Posts) => readonly number[];
  readonly vocabulary: Pick<Vocabulary, 'read' | 'word'>;
  /** Folder of the round. */
  readonly dir: string;
}

/** A post as the champion was misled by it. */
export interface CraftedRow {
  /** Row of the plan. */
  readonly row: number;
  readonly words: readonly number[];
}

interface Chunk {
  readonly chunk: number;
  readonly rows: readonly CraftedRow[];
}

const chunkSchema: z.ZodType<Chunk> = z.object({
  chunk: z.number(),
  rows: z.array(z.object({ row: z.number(), words: z.array(z.number()).length(MAX_WORDS) })),
});

/** @param posts those of the plan, in its order */
export async function craft(deps: CraftDeps, plan: RoundPlan, posts: Posts): Promise<CraftedRow[]> {
  const { tf, pause, metrics } = deps;
  const path = join(deps.dir, 'crafted.jsonl');
  const done = (await readWholeLines(path)).map((line) => chunkSchema.parse(line));
  const attack = wordReplacement(tf);
  const crafted = done.flatMap(({ rows }) => rows);
  for (let chunk = done.length; chunk * CHUNK < posts.count; chunk += 1) {
    const from = chunk * CHUNK;
    const own = slicePosts(posts, from, Math.min(posts.count, from + CHUNK));
    await pause();
    const { records, rows } = craftChunk(deps, plan, { attack, posts: own, from, chunk });
    metrics.count('tocsin_sidecar_crafted_total', { attack: attack.name }, rows.length);
    await deps.bus.produce(records);
    failPoint('sidecar.craft');
    await appendFile(path, `${JSON.stringify({ chunk, rows } satisfies Chunk)}\n`, { flush: true });
    crafted.push(...rows);
  }
  return crafted;
}

interface ChunkOf {
  readonly attack: Attack;
  readonly posts: Posts;
  /** Row of the plan that is the chunk's first. */
  readonly from: number;
  readonly chunk: number;
}

function craftChunk(
  { codec, victim, model, probabilities, vocabulary }: CraftDeps,
  plan: RoundPlan,
  { attack, posts, from, chunk }: ChunkOf,
): { readonly records: readonly OutgoingRecord[]; readonly rows: readonly CraftedRow[] } {
  const made = attack.generate(victim, posts, seededRandom(plan.seed + chunk));
  const before = probabilities(posts);
  const after = probabilities(made.posts);
  const records: OutgoingRecord[] = [];
  const rows: CraftedRow[] = [];
  made.audit.forEach((audit, i) => {
    if (audit.swaps.length === 0) return;
    const origin = plan.train[from + i] as RoundPlan['train'][number];
    const record: AdversarialSample = {
      kind: 'AdversarialSample',
      id: `${plan.round}/${attack.name}/${origin.id}`,
      task: 'informative',
      round: plan.round,
      origin: origin.id,
      label: origin.label === 1 ? 'yes' : 'no',
      attack: attack.name,
      budget: BUDGET,
      positions: audit.swaps.map(({ position }) => position),
      ...texts(origin.text, audit, vocabulary),
      probabilityBefore: before[i] as number,
      probabilityAfter: after[i] as number,
      model,
      createdAt: plan.startedAt,
    };
    records.push(
      message(codec, TOPICS.adversarial, record, {
        key: record.id,
        id: record.id,
        source: SIDECAR_SERVICE,
        time: record.createdAt,
        lineage: NO_LINEAGE,
      }),
    );
    rows.push({
      row: from + i,
      words: [...made.posts.words.subarray(i * MAX_WORDS, (i + 1) * MAX_WORDS)],
    });
  });
  return { records, rows };
}

/** The words of a text as the model reads them, and the same with the new ones in their places. */
function texts(
  text: string,
  { swaps }: Audit,
  { read, word }: CraftDeps['vocabulary'],
): Pick<AdversarialSample, 'before' | 'after'> {
  const tokens = read(text);
  const changed = [...tokens];
  for (const { position, after } of swaps) changed[position] = word(after);
  return { before: tokens.join(' '), after: changed.join(' ') };
}
