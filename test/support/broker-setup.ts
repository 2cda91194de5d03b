/**
 * One broker for a whole vitest run, or the one at KAFKA_BROKERS. Suites take its address by `inject('kafkaBrokers')`.
 * A broker that cannot be had fails the run; nothing is skipped.
 */
import type { TestProject } from 'vitest/node';
import { startTestBroker, type TestBroker } from './broker.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Bootstrap servers, comma-separated. */
    kafkaBrokers: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['KAFKA_BROKERS'];
  if (given) {
    project.provide('kafkaBrokers', given);
    return async () => {};
  }
  const broker: TestBroker = await startTestBroker();
  project.provide('kafkaBrokers', broker.brokers);
  return () => broker.close();
}
