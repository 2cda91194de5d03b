/** A real (small) retraining goes the whole way on Kafka; on the embedded bus it is in test/e2e. */
import { inject, it } from 'vitest';
import '../support/broker-setup.ts';
import { chainOfMadePosts } from '../support/made-chain.ts';

it('a round of the sidecar is accepted, goes from shadow to canary to all past a killed gate, and is rolled back', () =>
  chainOfMadePosts({
    bus: 'kafka',
    brokers: inject('kafkaBrokers'),
    environment: `chain-${process.pid}`,
  }));
