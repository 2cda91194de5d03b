/** `tocsin models` and `tocsin gate` on Kafka. */
import { inject, it } from 'vitest';
import '../support/broker-setup.ts';
import { changeByCommand } from '../support/models-suite.ts';

it('people promote, roll back, pin, and ask why', () =>
  changeByCommand({ bus: 'kafka', brokers: inject('kafkaBrokers'), environment: `models-${process.pid}` }));
