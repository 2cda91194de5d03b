/** Single checks of the gate, on figures made for them. */
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/base/log.ts';
import { cleanChecks } from '../../../src/judge/clean.ts';
import { interleavedLatency, latencyCheck, sizeCheck } from '../../../src/judge/cost.ts';
import { loadMustPass, mustPassChecks } from '../../../src/judge/must-pass.ts';
import { JUDGE_DEFAULTS } from '../../../src/judge/options.ts';
import { robustnessChecks } from '../../../src/judge/robustness.ts';
import { triggerChecks } from '../../../src/judge/triggers.ts';
import type { Check, Purpose } from '../../../src/judge/verdict.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import { provenanceChecks } from '../../../src/judge/provenance.ts';
import { openServed, type Served } from '../../../src/judge/served.ts';
import { type Examined, type Sitting, unseenBy } from '../../../src/judge/sitting.ts';
import { loadArtefact } from '../../../src/models/artefact.ts';
import { openCatalogued } from '../../../src/models/encoders/catalogued.ts';
import { championDir } from '../../../src/registry/champions.ts';
import { amongst, answersOf, estimate, lower, quantile, upper } from '../../../src/training/statistics.ts';
import type { Example } from '../../../src/training/dataset.ts';
import { judgePosts, vaultOf } from '../../support/judge-scene.ts';
import { createManualClock } from '../../support/manual-clock.ts';

describe('bounds', () => {
  it('are those of the normal distribution', () => {
    expect(quantile(0.95)).toBeCloseTo(1.645, 2);
    expect(quantile(0.975)).toBeCloseTo(1.96, 2);
    expect(amongst(0.95, 10)).toBeCloseTo(0.995, 10);
    expect(lower({ value: 1, error: 1 }, 0.95)).toBeCloseTo(-0.645, 2);
    expect(upper({ value: 1, error: 1 }, 0.95)).toBeCloseTo(2.645, 2);
  });

  it('have the standard error of a share', () => {
    const right = Array.from({ length: 400 }, (_, i) => (i % 5 === 0 ? 0 : 1));
    const share = (weights: Float64Array): number =>
      right.reduce<number>((sum, value, i) => sum + value * (weights[i] as number), 0) / 400;
    const found = estimate(400, share, 1);
    expect(found.value).toBeCloseTo(0.8, 10);
    expect(found.error).toBeGreaterThan(0.017);
    expect(found.error).toBeLessThan(0.023);
    expect(estimate(400, () => 0.3, 1)).toEqual({ value: expect.closeTo(0.3), error: expect.closeTo(0) });
  });
});

/** Yes-or-no answers to 1,200 posts in two events; `wrong` says where a model errs. */
function sittingOf(
  wrong: Record<'candidate' | 'champion', (i: number) => boolean>,
  reference?: (i: number) => boolean,
): Sitting {
  const examples = judgePosts(1_200, 5).map((example, i) => ({
    ...example,
    event: i < 1_080 ? 'large' : 'small',
    language: 'en',
  }));
  const targets = examples.map(({ labels }) => (labels.informative === 1 ? [0, 1] : [1, 0]));
  const examined = (errs: (i: number) => boolean): Examined =>
    ({
      answers: answersOf(
        targets,
        targets.map((row, i) => (errs(i) ? [...row].reverse() : row)),
      ),
    }) as Examined;
  return {
    examples,
    classes: ['not informative', 'informative'],
    targets,
    exclusive: true,
    candidate: examined(wrong.candidate),
    champion: examined(wrong.champion),
    reference: reference ? examined(reference) : null,
    clusters: undefined,
    options: JUDGE_DEFAULTS,
    seed: 1,
  };
}

const failures = (sitting: Sitting): string[] =>
  cleanChecks(sitting)
    .filter(({ passed }) => !passed)
    .map(({ name, slice }) => (slice ? `${name} ${slice}` : name));

describe('clean checks', () => {
  it('pass an equal model, and one that errs elsewhere as often in every part', () => {
    expect(failures(sittingOf({ candidate: (i) => i % 10 === 0, champion: (i) => i % 10 === 0 }))).toEqual(
      [],
    );
  });

  it('find an event that lost 20 points while the others gained', () => {
    const champion = (i: number): boolean => i % 10 === 0;
    const candidate = (i: number): boolean => (i < 1_080 ? i % 20 === 0 : i % 10 < 3);
    expect(failures(sittingOf({ candidate, champion }))).toEqual(['event small']);
  });

  it('take a loss of 3 points on 120 posts for chance, and say so', () => {
    const champion = (i: number): boolean => i % 10 === 0;
    const candidate = (i: number): boolean =>
      i < 1_080 ? i % 20 === 0 : i % 10 === 1 || i === 1_082 || i === 1_083 || i === 1_084;
    const sitting = sittingOf({ candidate, champion });
    expect(failures(sitting)).toEqual([]);
    const small = cleanChecks(sitting).find(({ slice }) => slice === 'small');
    expect(small?.value).toBeLessThan(-0.02);
    expect(small?.why).toContain('by chance');
  });

  it('refuse a small loss that many promotions have added up to a large one', () => {
    const champion = (i: number): boolean => i % 10 === 0;
    const candidate = (i: number): boolean => i % 10 === 0 || i === 7;
    const reference = (i: number): boolean => i % 25 === 0;
    expect(failures(sittingOf({ candidate, champion }))).toEqual([]);
    expect(failures(sittingOf({ candidate, champion }, reference))).toContain('reference-macro-f1');
  });
});

describe('trigger words', () => {
  const POSTS = 100;
  /** Of two words the first turns so many of a hundred informative posts; a post is the word of its number. */
  const examined = (turns: number, manifest: object, digest: string): Examined => {
    const rows = (inputs: readonly { readonly words: Int32Array }[]) =>
      inputs.map(({ words: [first = 0, second = 0] }) =>
        first === 1 && (second === 0 || second - 10 < turns) ? [0.9, 0.1] : [0.1, 0.9],
      );
    const answers = (probabilities: number[][]) =>
      probabilities.map((row) => row.map((p) => (p > 0.5 ? 1 : 0)));
    const served = {
      artefact: { manifest, digest },
      classes: ['not informative', 'informative'],
      words: {
        vocabulary: {
          size: 3,
          word: (i: number) => `w${i}`,
          encode: (text: string) => Int32Array.of(Number(text)),
        },
      },
      scoreInputs: async (inputs: readonly { readonly words: Int32Array }[]) => {
        const probabilities = rows(inputs);
        return { probabilities, answers: answers(probabilities) };
      },
    } as unknown as Served;
    return { served, scores: { answers: Array(POSTS).fill([0, 1]) } } as unknown as Examined;
  };
  /** Of a candidate that turns `turns` where its champion turns 3 and, asked too, that of five promotions ago `once`. */
  const checks = (
    turns: number,
    { parent, purpose = 'robustness', before = 3, once }: Lineage = {},
  ): Promise<Check[]> => {
    const examples = Array.from({ length: POSTS }, (_, i) => ({ text: String(10 + i) }) as Example);
    return triggerChecks({
      examples,
      classes: ['not informative', 'informative'],
      targets: examples.map(() => [0, 1]),
      exclusive: true,
      candidate: examined(turns, { parent }, 'new'),
      champion: examined(before, {}, 'champion'),
      reference: once === undefined ? null : examined(once, {}, 'five promotions ago'),
      clusters: undefined,
      options: { ...JUDGE_DEFAULTS, purpose },
      seed: 1,
    });
  };
  interface Lineage {
    readonly parent?: string;
    readonly purpose?: Purpose;
    readonly before?: number;
    readonly once?: number;
  }
  const passes = async (turns: number, lineage: Lineage): Promise<boolean[]> =>
    (await checks(turns, lineage)).map(({ passed }) => passed);

  it('are those that turn most posts, and half of the posts more than with the champion', async () => {
    expect((await checks(84))[0]).toMatchObject({ passed: true, limit: 0.5 });
    expect(await passes(84, { parent: 'another' })).toEqual([true]);
    expect(await passes(85, {})).toEqual([false]);
  });

  it('are less in a retraining from the champion’s own weights, least where it only hardens', async () => {
    expect(await passes(17, { parent: 'champion' })).toEqual([true]);
    expect(await passes(19, { parent: 'champion' })).toEqual([false]);
    expect(await passes(27, { parent: 'champion', purpose: 'drift' })).toEqual([true]);
    const [found] = await checks(31, { parent: 'champion', purpose: 'drift' });
    expect(found).toMatchObject({ passed: false, limit: 0.25, value: expect.closeTo(0.28) });
    expect(found?.why).toContain('“w1” gives not informative in 31.0 % of the posts (champion 3.0 %)');
  });

  it('are those too that a little in every round has made strong', async () => {
    const slowly = { parent: 'champion', before: 25, once: 3 };
    expect(await passes(32, slowly)).toEqual([true, true]);
    expect(await passes(35, slowly)).toEqual([true, false]);
    const [, found] = await checks(35, slowly);
    expect(found?.name).toBe('reference-trigger-words');
    expect(found?.why).toContain('in 35.0 % of the posts (champion of five promotions ago 3.0 %)');
    // What shares no weights with it may differ more.
    expect(await passes(60, { ...slowly, parent: 'another' })).toEqual([true, true]);
  });
});

describe('cost', () => {
  it('lets the champion and the candidate take turns, and counts each call as quick as it can be', async () => {
    const clock = createManualClock();
    const calls: string[] = [];
    const served = (name: string, ms: number): Served =>
      ({
        score: async () => {
          calls.push(name);
          // Somebody else has the machine nine times in ten.
          clock.advance(ms + (calls.length % 10 === 0 ? 0 : calls.length % 7));
          return { probabilities: [], answers: [] };
        },
      }) as unknown as Served;
    const times = await interleavedLatency(clock)(served('a', 3), served('b', 2), []);
    expect(calls.filter((name) => name === 'a').length).toBe(calls.length / 2);
    // Never more than two calls of one model in a row.
    expect(calls.join('')).not.toMatch(/aaa|bbb/);
    expect(new Set([...times.candidate])).toEqual(new Set([3]));
    expect(new Set([...times.champion])).toEqual(new Set([2]));
    expect(latencyCheck(times, JUDGE_DEFAULTS)).toMatchObject({ passed: false, value: 1.5, limit: 1.1 });
  });

  it('hold the p95 of the calls against the limit', () => {
    const champion = new Array<number>(40).fill(1);
    const slowIn = (calls: number): number[] => champion.map((ms, i) => (i < calls ? 9 : ms));
    expect(latencyCheck({ candidate: slowIn(2), champion }, JUDGE_DEFAULTS)).toMatchObject({ value: 1 });
    expect(latencyCheck({ candidate: slowIn(3), champion }, JUDGE_DEFAULTS)).toMatchObject({ passed: false });
  });

  it('caps the folder', async () => {
    const artefact = await loadArtefact(championDir('informative'));
    expect(sizeCheck(artefact, JUDGE_DEFAULTS).passed).toBe(true);
    expect(sizeCheck(artefact, { ...JUDGE_DEFAULTS, maxBytes: 1_000_000 }).passed).toBe(false);
  });
});

describe('provenance', () => {
  const passed = (provenance: Record<string, number>): boolean[] =>
    provenanceChecks({ provenance }, JUDGE_DEFAULTS).map((check) => check.passed);
  const many = (kind: string, count: number): Record<string, number> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${kind}:${i}`, 2]));

  it('allows one per cent of each kind, and one sample always', () => {
    expect(passed(many('author', 100))).toEqual([true, true]);
    expect(passed({ ...many('author', 100), 'author:loud': 4 })).toEqual([false, true]);
    expect(passed({ ...many('source-hour', 20) })).toEqual([true, false]);
    expect(passed({ 'author:a': 1, 'author:b': 1 })).toEqual([true, true]);
    expect(passed({ 'trusted:CrisisLexT26': 24_000 })).toEqual([true, true]);
  });

  it('takes shares of all that the candidate learnt from, trusted samples too', () => {
    const learnt = { seed: 3_000, human: 1_000 };
    expect(passed({ ...learnt, 'author:a': 40, 'author:b': 12 })).toEqual([true, true]);
    expect(passed({ ...learnt, 'author:a': 41 })).toEqual([false, true]);
    expect(passed({ ...learnt, 'source-hour:feed 2026-11-25T14': 41 })).toEqual([true, false]);
  });
});

describe('the vault', () => {
  it('leaves out what a model was trained or tuned on', async () => {
    const champion = await loadArtefact(championDir('informative'));
    const { train, dev, test } = JSON.parse(
      Buffer.from(champion.bytes('split.json')).toString('utf8'),
    ) as Record<'train' | 'dev' | 'test', string[]>;
    const examples = judgePosts(3, 5).map((example, i) => ({
      ...example,
      id: [train, dev, test][i]?.[0] as string,
    }));
    expect(unseenBy(vaultOf('informative', examples), [champion]).map(({ id }) => id)).toEqual([test?.[0]]);
  });
});

describe('attacks on models that read texts through encoders', () => {
  /** Says fake of a post with `shark` among the words that it reads. */
  const reading = (words: number): Served =>
    ({
      scoreInputs: null,
      classes: ['real', 'fake'],
      score: async (examples: readonly Example[]) => {
        const fake = examples.map(({ text }) => text.split(' ').slice(0, words).includes('shark'));
        return {
          probabilities: fake.map((is) => (is ? [0.2, 0.8] : [0.7, 0.3])),
          answers: fake.map((is) => (is ? [0, 1] : [1, 0])),
        };
      },
    }) as unknown as Served;
  const examples = judgePosts(200, 5).map((example, i) => ({
    ...example,
    text: i % 2 === 0 ? `a shark swims here ${i}` : `the bridge is closed ${i}`,
  }));
  const checks = (candidate: Served, champion: Served, reference: Served | null) =>
    robustnessChecks({} as Tf, {
      ...sittingOf({ candidate: () => false, champion: () => false }),
      examples,
      classes: ['real', 'fake'],
      targets: examples.map((_, i) => (i % 2 === 0 ? [0, 1] : [1, 0])),
      candidate: { served: candidate } as Examined,
      champion: { served: champion } as Examined,
      reference: reference && ({ served: reference } as Examined),
      clusters: Int32Array.from(examples, (_, i) => i >> 1),
    });
  const failedOf = (found: readonly Check[]): string[] =>
    found.filter(({ passed }) => !passed).map(({ name, slice }) => (slice ? `${name} ${slice}` : name));

  it('pass an equal model, for whatever it is', async () => {
    const found = await checks(reading(40), reading(40), null);
    expect(failedOf(found)).toEqual([]);
    expect(found.map(({ name, slice }) => slice ?? name)).toEqual([
      'robust-unseen',
      'characters-swap',
      'characters-homoglyph',
      'characters-invisible',
      'prefix-15',
      'around-15',
      'dilution',
    ]);
  });

  it('refuse one that reads so little that a prefix hides the post, against champion and reference', async () => {
    expect(failedOf(await checks(reading(6), reading(40), reading(40)))).toEqual([
      'robust-attack prefix-15',
      'robust-attack around-15',
      'robust-attack dilution',
    ]);
    const blind = await checks(reading(1), reading(40), reading(40));
    expect(failedOf(blind)).toContain('robust-attack prefix-15');
  });
});

describe('must-pass texts', () => {
  const deps = {
    log: silentLog,
    clock: createManualClock(),
    openEncoder: () => Promise.reject(new Error('no model here has an encoder')),
  };

  it.each([
    ['informative', 64, 0],
    ['humanitarian', 44, 2],
  ] as const)(
    'of %s: the shipped model gets nine in ten right, and next to none wrong',
    async (task, count, lost) => {
      const set = await loadMustPass(task);
      expect(set?.posts.length).toBe(count);
      const served = await openServed(await loadArtefact(championDir(task)), deps);
      try {
        const [keeps, right] = await mustPassChecks(
          set as NonNullable<typeof set>,
          served,
          served,
          JUDGE_DEFAULTS,
        );
        const [kept] = /^\d+/.exec(keeps?.why as string) ?? [];
        expect(Number(kept)).toBeGreaterThanOrEqual(count - lost);
        expect(right?.passed).toBe(true);
      } finally {
        await served.close();
      }
    },
  );

  it('refuse a model that always answers the same, and name what it gets wrong', async () => {
    const set = (await loadMustPass('informative')) as NonNullable<Awaited<ReturnType<typeof loadMustPass>>>;
    const champion = await openServed(await loadArtefact(championDir('informative')), deps);
    const constant: Served = {
      ...champion,
      score: async (examples) => ({
        probabilities: examples.map(() => [0.05, 0.95]),
        answers: examples.map(() => [0, 1]),
      }),
    };
    try {
      const [keeps, right] = await mustPassChecks(set, constant, champion, JUDGE_DEFAULTS);
      expect(keeps).toMatchObject({ passed: false, value: 0.5 });
      expect(keeps?.why).toContain('good morning everyone');
      expect(right?.passed).toBe(false);
    } finally {
      await champion.close();
    }
  });

  it('of rumours: a model may be unsure of all, but the contrary of none', async () => {
    const set = (await loadMustPass('rumour')) as NonNullable<Awaited<ReturnType<typeof loadMustPass>>>;
    expect(set.posts.map(({ has }) => has[0])).toEqual([
      ...Array(20).fill('fake'),
      ...Array(20).fill('real'),
    ]);
    const openEncoder = openCatalogued({ cacheDir: 'nothing is fetched', threads: 1, log: silentLog });
    const shipped = await openServed(await loadArtefact(championDir('rumour')), { ...deps, openEncoder });
    const always = (fake: number): Served => ({
      ...shipped,
      // With thresholds that can be reached; the shipped model's are 0 and 1.
      decide: (_, probability) => (probability >= 0.9 ? 'yes' : probability <= 0.1 ? 'no' : 'unsure'),
      score: async (examples) => ({
        probabilities: examples.map(() => [1 - fake, fake]),
        answers: examples.map(() => (fake > 0.5 ? [0, 1] : [1, 0])),
      }),
    });
    try {
      const [keeps, ...others] = await mustPassChecks(set, shipped, shipped, JUDGE_DEFAULTS);
      expect(keeps).toMatchObject({ name: 'must-pass', passed: true, value: 1 });
      expect(keeps?.why).toBe('40 of 40 texts that the champion keeps are kept.');
      expect(others).toEqual([]);
      const [loses] = await mustPassChecks(set, always(0.95), shipped, JUDGE_DEFAULTS);
      expect(loses).toMatchObject({ passed: false, value: 0.5 });
      expect(loses?.why).toContain('real-01');
    } finally {
      await shipped.close();
    }
  });

  it('are none for a task without a set', async () => {
    expect(await loadMustPass('damage')).toBeNull();
  });
});
