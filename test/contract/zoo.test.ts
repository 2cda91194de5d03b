/** The zoo's contract on every tfjs backend that this machine has; the summary of npm test names them. */
import { describe } from 'vitest';
import { cacheDir } from '../../src/config/cache.ts';
import { probeBackends } from '../../src/models/engine/backends.ts';
import { openEngine } from '../../src/models/engine/engine.ts';
import { zooContract } from './zoo-contract.ts';

const present = probeBackends(cacheDir()).filter((state) => state.present);

describe.each(present)('$name', ({ name }) => zooContract(name, () => openEngine({ backend: name })));
