/** What a broker's death does to work in hand: a pause, and nothing else. */
import { expect } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openKafkaBus } from '../../src/bus/kafka/bus.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import { caughtUp, codeOf, copying, countedBy, post, text } from '../contract/bus/support.ts';
import { readWithJava, startTestBroker } from './broker.ts';
import { until } from './until.ts';

/** Kills the broker `kills` times under load, and holds input and output against what was acknowledged. */
export async function surviveKills(kills: number): Promise<void> {
  const broker = await startTestBroker();
  const environment = 'outage';
  const brokers = [broker.brokers];
  const open = () =>
    openKafkaBus({ brokers, environment, clock: systemClock, log: silentLog, sessionTimeoutMs: 3_000 });
  const bus = await open();
  try {
    const spec = { partitions: 3, retentionMs: null, cleanup: 'delete' as const };
    await bus.admin.createTopics([
      { name: 'in', ...spec },
      { name: 'out', ...spec },
      { name: TOPICS.state, ...spec, cleanup: 'compact' },
    ]);
    const consumer = await bus.consume(copying('copy', 'in', 'out', { sliceRecords: 50 }));
    const followed: string[] = [];
    const stop = new AbortController();
    const following = (async () => {
      for await (const batch of bus.read('out', { from: 'earliest', signal: stop.signal }))
        followed.push(...batch.map((record) => record.key as string));
    })();
    let sent = 0;
    let producing = true;
    const producer = (async () => {
      while (producing) {
        const batch = Array.from({ length: 20 }, (_, i) => post('in', `key-${sent + i}`, String(sent + i)));
        await bus.produce(batch);
        sent += batch.length;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    for (let kill = 0; kill < kills; kill += 1) {
      const before = sent;
      const worked = followed.length;
      await until(() => sent > before + 300 && followed.length > worked, 'work flows', 60_000);
      await broker.kill();
      expect(await codeOf(open().then((other) => other.close()))).toBe('BUS_UNREACHABLE');
      await broker.restart();
    }
    const after = sent;
    await until(() => sent > after + 300, 'production goes on', 60_000);
    producing = false;
    await producer;
    await until(() => caughtUp(bus, 'copy', 'in'), 'the consumer goes on', 60_000);
    await until(() => followed.length >= sent, 'the follower goes on', 60_000);
    stop.abort();
    await following;
    await consumer.close();
    const wanted = Array.from({ length: sent }, (_, i) => `key-${i}`).sort();
    for (const topic of ['in', 'out']) {
      const java = await readWithJava({
        brokers: broker.brokers,
        topic: `${environment}.${topic}`,
        isolation: 'read_committed',
      });
      expect(java.map((record) => record.key).sort()).toEqual(wanted);
      expect(java.every((record) => `key-${text(record.value)}` === record.key)).toBe(true);
    }
    expect(followed.sort()).toEqual(wanted);
    expect(await countedBy(bus, 'copy', 'in')).toBe(sent);
  } finally {
    await bus.close();
    await broker.close();
  }
}
