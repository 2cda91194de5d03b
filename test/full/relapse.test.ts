/** A model that turns out worse is taken back by the gate itself, on Kafka; on the embedded bus it is in test/e2e. */
import { inject, it } from 'vitest';
import '../support/broker-setup.ts';
import { relapseOfMadePosts } from '../support/made-chain.ts';

it('an accepted model that is worse on what comes is withdrawn from the canary, and rolled back after a person promoted it', () =>
  relapseOfMadePosts({
    bus: 'kafka',
    brokers: inject('kafkaBrokers'),
    environment: `relapse-${process.pid}`,
  }));
