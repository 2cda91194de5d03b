import { describe, inject, it } from 'vitest';
import { GATE_STEPS, killGate, killGateInRollback } from '../support/gate-suite.ts';

describe('a gate on Kafka that is killed', () => {
  const kafka = () => ({ bus: 'kafka', brokers: inject('kafkaBrokers') }) as const;

  it.each(GATE_STEPS)('at %s goes on where it was', (failPoint) => killGate(kafka(), failPoint));

  it('between announcing and auditing a rollback does not roll back twice', () =>
    killGateInRollback(kafka()));
});
