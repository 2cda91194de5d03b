/** The embedded bus keeps the contract of the port. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openEmbeddedBus } from '../../src/bus/embedded/bus.ts';
import { createBusContract } from './bus-contract.ts';

createBusContract('embedded bus', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tocsin-bus-'));
  const settings = (environment: string) => ({ dir, environment, maxBytes: 1_000_000_000 });
  return {
    connect: (environment) =>
      openEmbeddedBus({ ...settings(environment), clock: systemClock, log: silentLog }),
    child: (environment) => ({ kind: 'embedded', ...settings(environment) }),
    close: () => rm(dir, { recursive: true, force: true }),
  };
});
