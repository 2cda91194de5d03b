/** The broker dies twice under load; the long form is in test/full. */
import { it } from 'vitest';
import { surviveKills } from '../support/outage-suite.ts';

it('goes on by itself after the broker was killed and started again under load', () => surviveKills(2));
