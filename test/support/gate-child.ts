/**
 * A gate in a process of its own, to be killed at a fail point. Every candidate passes; the rollout takes no time. Ends by
 * itself once the state with the asked sequence is announced and audited.
 * Run: node --import tsx test/support/gate-child.ts TARGET_AS_JSON SHIPPED_DIR SEQUENCE
 */
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { createCodec } from '../../src/bus/codec.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { loadArtefact } from '../../src/models/artefact.ts';
import { readChain } from '../../src/registry/audit-chain.ts';
import { openGate } from '../../src/registry/gate/gate.ts';
import { keyPaths, registryPaths } from '../../src/registry/layout.ts';
import { openSigner } from '../../src/registry/signing.ts';
import { trustedKeys } from '../../src/registry/verify.ts';
import { openTarget, type Target } from './pipeline.ts';
import { until } from './until.ts';

const [given = '', shippedDir = '', sequence = ''] = process.argv.slice(2);
const target = JSON.parse(given) as Target;
const { dataDir, environment } = target;
const codec = createCodec();
const bus = await openTarget(target);
const gate = await openGate({
  bus,
  codec,
  clock: systemClock,
  log: silentLog,
  metrics: createMetrics({ bare: true }),
  environment,
  paths: registryPaths({ registryDir: '', dataDir }),
  signer: openSigner(codec, dataDir),
  keys: trustedKeys(keyPaths(dataDir).public),
  shipped: [await loadArtefact(shippedDir)],
  rules: {
    shadowEvents: 1,
    shadowMs: 0,
    canaryMs: 0,
    graceMs: 0,
    promotionIntervalMs: 0,
    twoPersons: false,
    pollMs: 20,
  },
  judge: async () => ({ passed: true, checks: [{ name: 'clean', passed: true }] }),
});
void gate.ended.then((error) => {
  if (error) process.stderr.write(`${error.stack}\n`);
});
await until(
  async () => (await readChain(bus, codec)).entries.some(({ what }) => what.startsWith(`state ${sequence}:`)),
  `state ${sequence}`,
);
await gate.close();
await bus.close();
