/** Stores and buses in temporary folders, closed and removed after the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openEmbeddedBus } from '../../src/bus/embedded/bus.ts';
import { openStore, type Store } from '../../src/bus/embedded/store.ts';
import type { Bus, TopicSpec } from '../../src/bus/port.ts';

export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'tocsin-embedded-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export async function temporaryStore(
  path: string = join(temporaryDir(), 'x.mdb'),
  onCommit: () => void = () => {},
): Promise<Store> {
  const store = await openStore(path, 1_000_000_000, onCommit);
  onTestFinished(() => store.close());
  return store;
}

export async function temporaryBus(
  options: {
    readonly dir?: string;
    readonly environment?: string;
    readonly maxBytes?: number;
    readonly clock?: Clock;
  } = {},
): Promise<Bus> {
  const bus = await openEmbeddedBus({
    dir: options.dir ?? temporaryDir(),
    environment: options.environment ?? 'lab',
    maxBytes: options.maxBytes ?? 1_000_000_000,
    clock: options.clock ?? systemClock,
    log: silentLog,
  });
  onTestFinished(() => bus.close());
  return bus;
}

export const plainTopic = (name: string, partitions = 1): TopicSpec => ({
  name,
  partitions,
  retentionMs: null,
  cleanup: 'delete',
});

/** Makes topics directly in a store. */
export async function makeTopics(store: Store, specs: readonly TopicSpec[]): Promise<void> {
  await store.write(() => {
    for (const spec of specs) store.meta.put(['topic', spec.name], spec);
  });
}
