/** Attacks on a model over frozen encoders: other texts and pictures pass the encoders, so posts stand behind the figures. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Posts } from '../../../../src/adversarial/attack.ts';
import { SMALL_TALK } from '../../../../src/adversarial/small-talk.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import { silentLog } from '../../../../src/base/log.ts';
import { textWriters } from '../../../../src/models/encoders/columns.ts';
import type { Packed } from '../../../../src/models/encoders/contract.ts';
import { createEntityTagger } from '../../../../src/models/encoders/entities.ts';
import { openEncoder } from '../../../../src/models/encoders/open.ts';
import { openEngine } from '../../../../src/models/engine/engine.ts';
import type { Tf } from '../../../../src/models/engine/tf.ts';
import { loadVocabulary, loadWordVectors } from '../../../../src/models/words.ts';
import type { Encoders } from '../../../../src/training/encoders.ts';
import { CHOICE_DEFAULTS } from '../../../../src/training/evaluate.ts';
import { readDataset } from '../../../../src/training/read-dataset.ts';
import { ASSESS_DEFAULTS, type Assessment, assess } from '../../../../src/training/robustness/assess.ts';
import { writeRumourFolder } from '../../../support/rumour-folder.ts';
import { buildTestMafn, writeTestRumourArtefact } from '../../../support/test-artefact.ts';
import { writeTinyPictureEncoder, writeTinyTextEncoder } from '../../../support/tiny-encoders.ts';

const POSTS = 12;

let tf: Tf;
let folder: string;
let encoders: Encoders;
let done: Assessment;
let left: number;

beforeAll(async () => {
  tf = await openEngine();
  folder = await mkdtemp(join(tmpdir(), 'tocsin-encoded-'));
  const [text, image] = [join(folder, 'text'), join(folder, 'image')];
  const options = { threads: 1, log: silentLog };
  encoders = {
    vocabulary: loadVocabulary(),
    wordVectors: loadWordVectors(),
    text: await openEncoder(writeTinyTextEncoder(text), 'text', { ...options, dir: text }),
    image: await openEncoder(writeTinyPictureEncoder(image), 'image', { ...options, dir: image }),
    tagger: createEntityTagger(),
    close: async () => {
      await encoders.text?.close();
      await encoders.image?.close();
    },
  };
  const data = join(folder, 'posts');
  await writeRumourFolder(data);
  const network = buildTestMafn(tf, encoders, 4);
  const artefact = await writeTestRumourArtefact(tf, network, encoders, join(folder, 'model'));
  network.dispose();
  const before = tf.memory().numTensors;
  done = await assess(
    { tf, clock: systemClock, report: () => {} },
    { artefact, encoders },
    await readDataset(data, { task: 'rumour', now: systemClock.now() }),
    { ...CHOICE_DEFAULTS, split: 'all', limit: POSTS },
    { ...ASSESS_DEFAULTS, suite: 'strong', sanityPosts: 2, seed: 1 },
    null,
  );
  left = tf.memory().numTensors - before;
});
afterAll(async () => {
  await encoders.close();
  await rm(folder, { recursive: true });
});

const under = (attack: string): Posts =>
  (done.result.attacked.find((run) => run.attack.name === attack) as { posts: Posts }).posts;
const rowOf = (values: Float32Array | undefined, i: number): number[] => {
  const size = (values?.length ?? 0) / POSTS;
  return [...(values?.subarray(i * size, (i + 1) * size) ?? [])];
};

describe('the strong suite on a model over frozen encoders', () => {
  it('changes texts and pictures, and says behind which figures posts stand', () => {
    const { attacked, worst, worstPosts } = done.robustness;
    expect(
      Object.fromEntries(Object.entries(attacked).map(([name, { withPosts }]) => [name, withPosts])),
    ).toEqual({
      'feature-space': false,
      'characters-swap': true,
      'characters-homoglyph': true,
      'characters-invisible': true,
      'prefix-15': true,
      'around-15': true,
      dilution: true,
      'recycled-picture': true,
    });
    expect([worst.withPosts, worstPosts?.withPosts]).toEqual([false, true]);
    for (const { accuracy, withPosts } of Object.values(attacked))
      expect((withPosts ? worstPosts : worst)?.accuracy).toBeLessThanOrEqual(accuracy);
    expect(left).toBe(0);
  });

  it.each(['prefix-15', 'dilution', 'characters-swap'])(
    'shows the network what the encoder makes of the text: %s',
    async (name) => {
      const encoder = encoders.text as NonNullable<Encoders['text']>;
      const { texts, others } = under(name);
      if (name === 'prefix-15') expect(texts.every((text) => text.startsWith(SMALL_TALK))).toBe(true);
      else expect(texts).not.toEqual(done.posts.texts);
      for (const i of [0, POSTS - 1]) {
        const [packed] = await encoder.encode([texts[i] as string]);
        const tokens = new Float32Array(rowOf(others?.tokens, i).length);
        textWriters(encoder).tokens(packed as Packed, tokens);
        expect(rowOf(others?.tokens, i)).toEqual([...tokens]);
      }
    },
  );

  it('lets the normaliser take invisible characters out', () => {
    expect(under('characters-invisible').texts).not.toEqual(done.posts.texts);
    expect(under('characters-invisible').others?.tokens).toEqual(done.posts.others?.tokens);
  });

  it('shows another post’s picture, pixels and vectors alike', () => {
    const { pixels, others } = under('recycled-picture');
    const clean = Array.from({ length: POSTS }, (_, i) => rowOf(done.posts.others?.imageLogits, i).join());
    let moved = 0;
    for (let i = 0; i < POSTS; i += 1) {
      const donor = clean.indexOf(rowOf(others?.imageLogits, i).join());
      expect(donor).toBeGreaterThanOrEqual(0);
      expect(rowOf(pixels ?? undefined, i)).toEqual(rowOf(done.posts.pixels ?? undefined, donor));
      if (clean[donor] !== clean[i]) moved += 1;
    }
    expect(moved).toBeGreaterThan(0);
    expect(others?.tokens).toEqual(done.posts.others?.tokens);
  });
});
