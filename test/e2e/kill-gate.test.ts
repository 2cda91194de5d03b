/** kill -9 of the gate on the embedded bus, at every step; the same on Kafka is in test/faults and test/full. */
import { describe, it } from 'vitest';
import { GATE_STEPS, killGate, killGateInRollback } from '../support/gate-suite.ts';

const embedded = { bus: 'embedded' } as const;

describe('a gate that is killed', () => {
  it.each(GATE_STEPS)('at %s goes on where it was', (failPoint) => killGate(embedded, failPoint));

  it('between announcing and auditing a rollback does not roll back twice', () =>
    killGateInRollback(embedded));
});
