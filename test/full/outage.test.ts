/** The broker dies twenty times under load. */
import { it } from 'vitest';
import { surviveKills } from '../support/outage-suite.ts';

it('goes on by itself after twenty kills of the broker under load', () => surviveKills(20));
