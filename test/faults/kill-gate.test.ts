/** kill -9 of the gate on Kafka, the short form: before and after a state is told. All steps are in test/full. */
import { describe, inject, it } from 'vitest';
import { killGate } from '../support/gate-suite.ts';

describe('a gate on Kafka that is killed', () => {
  it.each(['gate.state-signed', 'gate.announced'])('at %s goes on where it was', (failPoint) =>
    killGate({ bus: 'kafka', brokers: inject('kafkaBrokers') }, failPoint),
  );
});
