import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { createHosts, type Hosts } from '../../../src/media/hosts.ts';

/** A clock that stands still until it is moved. */
function standingClock(): Clock & { move(ms: number): Promise<void> } {
  let now = 0;
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  return {
    now: () => now,
    monotonic: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = {
          until: now + ms,
          wake: () => {
            sleepers.delete(sleeper);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', sleeper.wake, { once: true });
      }),
    async move(ms) {
      now += ms;
      for (const sleeper of [...sleepers]) if (sleeper.until <= now) sleeper.wake();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const LIMITS = { perHost: 2, failures: 3, pauseMs: 30_000 };

async function entered(hosts: Hosts, host: string, waitMs = 0): Promise<(worked: boolean | null) => void> {
  const answer = await hosts.enter(host, waitMs);
  if (typeof answer !== 'function') throw new Error(answer.refused);
  return answer;
}
const code = async (hosts: Hosts, host: string, waitMs = 0): Promise<string> => {
  const answer = await hosts.enter(host, waitMs);
  return typeof answer === 'function' ? 'entered' : answer.refused;
};

describe('hosts', () => {
  it('lets so many in per host, each host for itself', async () => {
    const hosts = createHosts(standingClock(), LIMITS);
    await entered(hosts, 'a');
    await entered(hosts, 'a');
    expect(await code(hosts, 'a')).toBe('host_busy');
    expect(await code(hosts, 'b')).toBe('entered');
  });

  it('gives a place that becomes free to one that waits, and sends the others away in time', async () => {
    const clock = standingClock();
    const hosts = createHosts(clock, LIMITS);
    const leave = await entered(hosts, 'a');
    await entered(hosts, 'a');
    const waiting = [code(hosts, 'a', 1_000), code(hosts, 'a', 1_000)];
    await clock.move(500);
    leave(true);
    await clock.move(0);
    await clock.move(500);
    expect((await Promise.all(waiting)).sort()).toEqual(['entered', 'host_busy']);
  });

  it('leaves a host alone after failures in a row, then tries it one at a time', async () => {
    const clock = standingClock();
    const hosts = createHosts(clock, LIMITS);
    for (let i = 0; i < 3; i += 1) (await entered(hosts, 'a'))(false);
    expect(await code(hosts, 'a')).toBe('host_paused');
    expect(await code(hosts, 'b')).toBe('entered');
    await clock.move(30_000);
    const trial = await entered(hosts, 'a');
    expect(await code(hosts, 'a')).toBe('host_busy');
    trial(false);
    expect(await code(hosts, 'a')).toBe('host_paused');
    await clock.move(30_000);
    (await entered(hosts, 'a'))(true);
    await entered(hosts, 'a');
    expect(await code(hosts, 'a')).toBe('entered');
  });

  it('forgets failures at the first success and ignores what says nothing of the host', async () => {
    const hosts = createHosts(standingClock(), LIMITS);
    for (const worked of [false, false, true, false, null, false]) (await entered(hosts, 'a'))(worked);
    expect(await code(hosts, 'a')).toBe('entered');
    (await entered(hosts, 'a'))(false);
    expect(await code(hosts, 'a')).toBe('host_paused');
  });

  it('tells those who wait when the host is paused', async () => {
    const clock = standingClock();
    const hosts = createHosts(clock, { ...LIMITS, failures: 2 });
    const leaves = [await entered(hosts, 'a'), await entered(hosts, 'a')];
    const waiting = [code(hosts, 'a', 60_000), code(hosts, 'a', 60_000)];
    await clock.move(0);
    for (const leave of leaves) leave(false);
    await clock.move(0);
    // The first failure may let one of them in before the second closes the door.
    expect(await waiting[1]).toBe('host_paused');
  });
});
