/**
 * The contract of src/bus/port.ts. Every adapter runs this one suite:
 *
 *   createBusContract('embedded bus', async () => harness, { deadlineMs: 30_000 });
 *
 * Conditions are waited for with one generous deadline, so that a broker's joins (seconds) and session timeouts
 * fit. Every test has topics and groups of its own; `crisis.state.v1` is made once per environment.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Bus } from '../../src/bus/port.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import type { ChildBus } from '../support/bus-child.ts';
import { adminContract } from './bus/admin.ts';
import { groupContract } from './bus/groups.ts';
import { logContract } from './bus/log.ts';
import { stateContract } from './bus/state.ts';
import { transactionContract } from './bus/transactions.ts';

/** One running carrier (a folder, a broker). */
export interface BusHarness {
  /**
   * Connects to an environment. Every call makes a connection of its own to the same lasting records, as another
   * process would have; nothing is created besides what the adapter itself needs.
   */
  connect(environment: string): Promise<Bus>;
  /** How test/support/bus-child.ts connects to it. */
  child(environment: string): ChildBus;
  close(): Promise<void>;
}

export interface ContractOptions {
  /** The longest that any one awaited condition may take. */
  readonly deadlineMs?: number;
}

/** What the tests work with; `bus` is shared by all of them. */
export interface ContractContext {
  readonly harness: () => BusHarness;
  readonly environment: string;
  readonly bus: () => Bus;
  readonly deadlineMs: number;
  /** Limit of one test. */
  readonly timeoutMs: number;
  /** Makes a topic of its own, kept for ever, and returns its name. */
  topic(partitions: number): Promise<string>;
  /** A group name of its own. */
  group(): string;
}

const unique = (): string => randomUUID().slice(0, 8);

export function createBusContract(
  name: string,
  start: () => Promise<BusHarness>,
  options: ContractOptions = {},
): void {
  describe(name, () => {
    let harness: BusHarness | null = null;
    let bus: Bus | null = null;
    const deadlineMs = options.deadlineMs ?? 30_000;
    const environment = `t${unique()}`;
    const need = <T>(value: T | null): T => {
      if (value === null) throw new Error('The harness did not start.');
      return value;
    };
    const context: ContractContext = {
      harness: () => need(harness),
      environment,
      bus: () => need(bus),
      deadlineMs,
      timeoutMs: deadlineMs * 2,
      async topic(partitions) {
        const topic = `test.${unique()}`;
        await need(bus).admin.createTopics([
          { name: topic, partitions, retentionMs: null, cleanup: 'delete' },
        ]);
        return topic;
      },
      group: () => `group-${unique()}`,
    };
    beforeAll(async () => {
      harness = await start();
      bus = await harness.connect(environment);
      await bus.admin.createTopics([
        { name: TOPICS.state, partitions: 6, retentionMs: null, cleanup: 'compact' },
      ]);
    }, deadlineMs);
    afterAll(async () => {
      await bus?.close();
      await harness?.close();
    }, deadlineMs);
    logContract(context);
    adminContract(context);
    groupContract(context);
    transactionContract(context);
    stateContract(context);
  });
}
