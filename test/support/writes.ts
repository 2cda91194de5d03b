/** Sees records the moment they are written, committed or not: then the transaction that wrote them may still be open. */
import kafkajs from 'kafkajs';

export interface Writes {
  /** Resolves at the next record of the topic. */
  next(topic: string): Promise<void>;
  close(): Promise<void>;
}

/** @param topics physical names */
export async function watchWrites(brokers: string, topics: readonly string[]): Promise<Writes> {
  const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `writes-${process.pid}`, readUncommitted: true });
  const waiting = new Map<string, () => void>();
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics] });
  await consumer.run({
    eachBatch: async ({ batch }) => {
      waiting.get(batch.topic)?.();
      waiting.delete(batch.topic);
    },
  });
  return {
    next: (topic) => new Promise((resolve) => waiting.set(topic, resolve)),
    close: () => consumer.disconnect(),
  };
}
