/** Sees records the moment they are written, committed or not, and so which transactions are open. */
import kafkajs from 'kafkajs';
import type { Bus } from '../../src/bus/port.ts';

export interface Writes {
  /** Resolves at the next record of the topic. */
  next(topic: string): Promise<void>;
  /** Whether a record that was seen is not committed yet. */
  isOpen(topic: string): Promise<boolean>;
  close(): Promise<void>;
}

export async function watchWrites(
  options: { readonly brokers: string; readonly environment: string; readonly topics: readonly string[] },
  bus: Bus,
): Promise<Writes> {
  const physical = (topic: string): string => `${options.environment}.${topic}`;
  const kafka = new kafkajs.Kafka({
    brokers: options.brokers.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const consumer = kafka.consumer({ groupId: `writes-${options.environment}`, readUncommitted: true });
  const waiting = new Map<string, () => void>();
  const newest = new Map<string, bigint>();
  await consumer.connect();
  await consumer.subscribe({ topics: options.topics.map(physical) });
  await consumer.run({
    eachBatch: async ({ batch }) => {
      const last = batch.messages.at(-1);
      if (!last) return;
      newest.set(`${batch.topic}/${batch.partition}`, BigInt(last.offset));
      waiting.get(batch.topic)?.();
      waiting.delete(batch.topic);
    },
  });
  return {
    next: (topic) => new Promise((resolve) => waiting.set(physical(topic), resolve)),
    isOpen: async (topic) =>
      (await bus.admin.ranges(topic)).some(
        ({ partition, high }) => (newest.get(`${physical(topic)}/${partition}`) ?? -1n) >= high,
      ),
    close: () => consumer.disconnect(),
  };
}
