/** A dead media worker never delays a text label: on Kafka, every post is labelled from its text while nobody looks at pictures. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import type { Label } from '../../src/event/records.ts';
import { busFlags, prepare, settled, startService, type Target } from '../support/pipeline.ts';
import {
  eventually,
  ledger,
  ROOT,
  type Running,
  tail,
  temporaryFolder,
  tocsinOk,
} from '../support/tocsin.ts';

const SETTINGS = { TOCSIN_SESSION_TIMEOUT_MS: '4000' };
const SAMPLE = join(ROOT, 'sample');

it('labels every post from its text while the media worker is dead, and revises when it is back', async () => {
  const folder = temporaryFolder('tocsin-media-down-');
  const target: Target = {
    bus: 'kafka',
    brokers: inject('kafkaBrokers'),
    dataDir: join(folder.path, 'data'),
    environment: `down-${process.pid}`,
  };
  const posts = readFileSync(join(SAMPLE, 'posts.jsonl'), 'utf8').split('\n').filter(Boolean).length;
  const services: Running[] = [];
  const revisions = async (): Promise<number[]> => {
    const labels = await tail('crisis.labels.v1', busFlags(target));
    return labels.map(({ record }) => (record as unknown as Label).revision);
  };
  try {
    await prepare(target);
    for (const name of ['label', 'claims']) services.push(await startService(target, name, SETTINGS));
    const media = await startService(target, 'media', SETTINGS);
    await media.kill('SIGKILL');
    await tocsinOk(['replay', SAMPLE, '--speed', 'max', ...busFlags(target)]);
    const waiting = await eventually('every post to be labelled', async () => {
      const now = await ledger(busFlags(target));
      return now.received === posts && now.inFlight === 0 && now;
    });
    expect(waiting.pictures.requested).toBeGreaterThan(50);
    expect(waiting.pictures).toMatchObject({ ready: 0, refused: 0, pending: waiting.pictures.requested });
    const first = await revisions();
    expect(new Set(first)).toEqual(new Set([1]));
    expect(first).toHaveLength(waiting.labelled);

    services.push(await startService(target, 'media', SETTINGS));
    const done = await settled(target, posts);
    expect(done.pictures.ready + done.pictures.refused).toBe(waiting.pictures.requested);
    expect((await revisions()).filter((revision) => revision > 1).length).toBeGreaterThan(0);
  } finally {
    for (const service of services) await service.kill('SIGTERM');
    folder.remove();
  }
});
