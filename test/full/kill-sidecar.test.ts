import { inject, it } from 'vitest';
import { killSidecar } from '../support/sidecar-suite.ts';

const ALL = [
  'sidecar.plan',
  'sidecar.craft',
  'sidecar.craft:2',
  'sidecar.train',
  'sidecar.train',
  'sidecar.train:2',
  'artefact.write',
  'artefact.rename',
  'sidecar.end',
];

it('a round that is killed at every fail point ends as an undisturbed one', () =>
  killSidecar({ bus: 'embedded' }, ALL));

it('so on Kafka', () => killSidecar({ bus: 'kafka', brokers: inject('kafkaBrokers') }, ALL));
