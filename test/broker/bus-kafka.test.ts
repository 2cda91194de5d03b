/** The bus contract on a real Apache Kafka. */
import { inject } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openKafkaBus } from '../../src/bus/kafka/bus.ts';
import { createBusContract } from '../contract/bus-contract.ts';
import '../support/broker-setup.ts';

createBusContract(
  'kafka bus',
  async () => {
    const brokers = inject('kafkaBrokers').split(',');
    return {
      connect: (environment) => openKafkaBus({ brokers, environment, clock: systemClock, log: silentLog }),
      child: (environment) => ({ kind: 'kafka', brokers, environment }),
      close: async () => {},
    };
  },
  { deadlineMs: 45_000 },
);
