/** What comes into force, what is refused, and what a partition waits for. Models are names; the signatures are real. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { TOPICS } from '../../../src/bus/topics.ts';
import type { DeadLetter, DesiredState, ModelVersion } from '../../../src/event/records.ts';
import { createMetrics, type Metrics } from '../../../src/metrics/metrics.ts';
import type { Artefact } from '../../../src/models/artefact.ts';
import { createLineUps } from '../../../src/models/serving/line-up.ts';
import { type InForce, openInForce } from '../../../src/registry/in-force.ts';
import { versionOf } from '../../../src/registry/open-version.ts';
import { openSource } from '../../../src/registry/source.ts';
import { createMemoryBus, type MemoryBus } from '../../support/memory-bus.ts';
import {
  stateOf,
  type TestRegistry,
  temporaryRegistry,
  writePlainArtefact,
  writeSigned,
} from '../../support/registry.ts';
import { until } from '../../support/until.ts';

const FOREVER = { notAfter: Date.now() + 1e9 };
type Tasks = { readonly informative: { readonly version: string; close(): Promise<void> } };

interface Scene {
  readonly registry: TestRegistry;
  readonly bus: MemoryBus;
  readonly metrics: Metrics;
  readonly opened: string[];
  /** Puts a message on crisis.models.v1. */
  send(state: Parameters<TestRegistry['signer']['state']>[0] | Uint8Array): Promise<void>;
  start(clock?: typeof systemClock): Promise<InForce<Tasks>>;
}

const running: InForce<Tasks>[] = [];
afterEach(async () => {
  for (const models of running.splice(0)) await models.close();
});

async function scene(): Promise<Scene> {
  const registry = temporaryRegistry();
  const bus = createMemoryBus();
  const metrics = createMetrics({ bare: true });
  const firstDir = join(registry.dataDir, 'shipped');
  await writePlainArtefact(firstDir, 'shipped');
  const opened: string[] = [];
  return {
    registry,
    bus,
    metrics,
    opened,
    send: (state) =>
      bus.produce([
        {
          topic: TOPICS.models,
          key: 'state',
          value: state instanceof Uint8Array ? state : registry.signer.state(state),
          headers: {},
          partition: 0,
        },
      ]),
    async start(clock = systemClock) {
      const { models: modelsDir } = registry.paths;
      const source = await openSource({ task: 'informative', firstDir, modelsDir, keys: registry.keys });
      const open = async (version: ModelVersion): Promise<Tasks['informative']> => {
        const { manifest }: Artefact = await source.load(version);
        opened.push(manifest.version);
        return { version: manifest.version, close: async () => {} };
      };
      const models = await openInForce({
        bus,
        codec: registry.codec,
        keys: registry.keys,
        environment: 'lab',
        clock,
        log: silentLog,
        metrics,
        service: 'label',
        lineUps: createLineUps<Tasks>({ informative: { first: source.first, open } }),
      });
      running.push(models);
      return models;
    },
  };
}

/** Sequence and champion in force now. */
const inForce = (models: InForce<Tasks>): [number, string] => {
  const lease = models.lease();
  lease.release();
  return [lease.value.sequence, lease.value.on('informative', 0).answers.version];
};

const refusals = async (metrics: Metrics): Promise<string[]> =>
  [
    ...(await metrics.expose()).body.matchAll(
      /^tocsin_model_refusals_total\{.*reason="(\w+)"\} ([1-9]\d*)$/gm,
    ),
  ].map(([, reason, times]) => `${reason} ${times}`);

const letters = ({ bus, registry }: Scene): DeadLetter[] =>
  bus.records(TOPICS.dlq).map(({ value }) => registry.codec.decode(value as Uint8Array) as DeadLetter);

describe('models in force', () => {
  it('are those of the newest state when the worker starts, and of each newer one that comes', async () => {
    const s = await scene();
    const one = versionOf(await writeSigned(s.registry, 'one'));
    const two = versionOf(await writeSigned(s.registry, 'two'));
    await s.send(stateOf(1, one));
    await s.send(stateOf(2, two)); // long expired: it limits the first activation only
    const models = await s.start();
    expect(inForce(models)).toEqual([2, 'two']);
    const held = models.lease();
    await s.send(stateOf(3, one, FOREVER));
    await models.reach(3);
    expect(inForce(models)).toEqual([3, 'one']);
    expect(held.value.sequence).toBe(2);
    held.release();
    expect(await refusals(s.metrics)).toEqual([]);
  });

  it('are the shipped ones without a state, and the gate may name a copy of those', async () => {
    const s = await scene();
    const models = await s.start();
    expect(inForce(models)).toEqual([0, 'shipped']);
    const shipped = join(s.registry.dataDir, 'shipped');
    const artefact = await writePlainArtefact(join(s.registry.dataDir, 'again'), 'shipped');
    await cp(shipped, join(s.registry.paths.models, 'informative', 'shipped'), { recursive: true });
    await s.send(stateOf(1, versionOf(artefact), FOREVER));
    await models.reach(1);
    expect(inForce(models)).toEqual([1, 'shipped']);
    expect(s.opened).toEqual(['shipped']); // shared, not opened again
  });

  const flip = async (path: string): Promise<void> => {
    const bytes = await readFile(path);
    bytes[3] = (bytes[3] as number) ^ 1;
    await writeFile(path, bytes);
  };

  it.each<
    [
      string,
      string,
      (
        s: Scene,
        one: ModelVersion,
        dir: string,
      ) => Promise<DesiredState | Uint8Array | Parameters<Scene['send']>[0]>,
    ]
  >([
    [
      'a forged one',
      'STATE_FORGED',
      async (s, one) => {
        const bytes = s.registry.signer.state(stateOf(2, one, FOREVER));
        bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
        return bytes;
      },
    ],
    [
      'one signed by a stranger',
      'STATE_UNKNOWN_KEY',
      async (_s, one) => temporaryRegistry().signer.state(stateOf(2, one, FOREVER)),
    ],
    ['a replayed one', 'STATE_REPLAYED', async (_s, one) => stateOf(1, one, FOREVER)],
    ['an expired one', 'STATE_EXPIRED', async (_s, one) => stateOf(2, one, { notAfter: 1 })],
    [
      'one for another environment',
      'STATE_FOREIGN',
      async (_s, one) => stateOf(2, one, { ...FOREVER, environment: 'live' }),
    ],
    ['rubbish', 'STATE_MALFORMED', async () => Uint8Array.of(1, 2, 3)],
    [
      'a model with a flipped byte',
      'MODEL_INVALID',
      async (_s, one, dir) => {
        await flip(join(dir, 'text.onnx'));
        return stateOf(2, one, FOREVER);
      },
    ],
    [
      'a model whose files were swapped',
      'MODEL_INVALID',
      async (_s, one, dir) => {
        const [text, weights] = [join(dir, 'text.onnx'), join(dir, 'network/weights.bin')];
        const [a, b] = [await readFile(text), await readFile(weights)];
        await writeFile(text, b);
        await writeFile(weights, a);
        return stateOf(2, one, FOREVER);
      },
    ],
    [
      'a model whose signature is of another',
      'MODEL_FORGED',
      async (s, one, dir) => {
        await writeFile(join(dir, 'signature.json'), temporaryRegistry().signer.model(one.digest));
        void s;
        return stateOf(2, one, FOREVER);
      },
    ],
    [
      'a version that leaves the registry',
      'MODEL_INVALID',
      async (s, one, dir) => {
        await mkdir(dirname(s.registry.paths.root), { recursive: true });
        await cp(dir, join(s.registry.dataDir, 'outside'), { recursive: true });
        return stateOf(2, { ...one, version: '../../../outside' }, FOREVER);
      },
    ],
  ])('stay as they are for %s', async (_name, code, make) => {
    const s = await scene();
    const one = versionOf(await writeSigned(s.registry, 'one'));
    const other = versionOf(await writeSigned(s.registry, 'other'));
    await s.send(stateOf(1, other));
    const models = await s.start();
    await s.send((await make(s, one, join(s.registry.paths.models, 'informative', 'one'))) as Uint8Array);
    await models.catchUp();
    expect(inForce(models)).toEqual([1, 'other']);
    expect(await refusals(s.metrics)).toEqual([`${code} 1`]);
    await until(() => letters(s).length === 1, 'the dead letter');
    expect(letters(s)[0]).toMatchObject({ reason: 'refused_state', service: 'label', offset: 1 });
    expect(letters(s)[0]?.detail).toContain(code);
    // A good one after it is taken.
    await s.send(stateOf(3, other, FOREVER));
    await models.reach(3);
  });

  it('never go back: states in the wrong order count once', async () => {
    const s = await scene();
    const one = versionOf(await writeSigned(s.registry, 'one'));
    const two = versionOf(await writeSigned(s.registry, 'two'));
    const models = await s.start();
    await s.send(stateOf(2, two, FOREVER));
    await s.send(stateOf(1, one, FOREVER));
    await models.catchUp();
    expect(inForce(models)).toEqual([2, 'two']);
    expect(await refusals(s.metrics)).toEqual(['STATE_REPLAYED 1']);
  });

  it('are those of an older state when a worker starts and the newest cannot be opened', async () => {
    const s = await scene();
    const one = versionOf(await writeSigned(s.registry, 'one'));
    await s.send(stateOf(1, one));
    await s.send(stateOf(2, { ...one, version: 'gone' }));
    const models = await s.start();
    expect(inForce(models)).toEqual([1, 'one']);
    expect(await refusals(s.metrics)).toEqual(['MODEL_INVALID 1']);
  });

  it('are refused to a partition that was served with newer ones: it waits, and then the worker ends', async () => {
    const s = await scene();
    const one = versionOf(await writeSigned(s.registry, 'one'));
    let now = 0;
    const clock: typeof systemClock = {
      ...systemClock,
      monotonic: () => now,
      // Time passes only for who waits for the fence.
      sleep: async (ms, signal) => {
        if (ms < 2_000) return systemClock.sleep(ms, signal);
        now += ms;
      },
    };
    const models = await s.start(clock);
    await expect(models.reach(1)).rejects.toMatchObject({ code: 'MODELS_BEHIND' });
    expect(await models.ended).toMatchObject({ code: 'MODELS_BEHIND' });
    const [late, patient] = [await s.start(), stateOf(1, one, FOREVER)];
    const waiting = late.reach(1);
    await s.send(patient);
    await waiting;
    expect(inForce(late)).toEqual([1, 'one']);
  });

  it('go on when the bus cannot be read for a while', async () => {
    const s = await scene();
    const one = versionOf(await writeSigned(s.registry, 'one'));
    const models = await s.start();
    s.bus.breakReads();
    await s.send(stateOf(1, one, FOREVER));
    await models.reach(1);
    expect(inForce(models)).toEqual([1, 'one']);
  });
});
