/** What the commands that serve models share: the registry as they see it, and the end of a worker whose models are not fit. */
import type { Consumer } from '../bus/port.ts';
import type { Settings } from '../config/settings.ts';
import type { Source } from '../models/serving/line-up.ts';
import { keyPaths, registryPaths } from '../registry/layout.ts';
import { openSource } from '../registry/source.ts';
import { type TrustedKeys, trustedKeys } from '../registry/verify.ts';

export interface ServingRegistry {
  readonly keys: TrustedKeys;
  /** @param firstDir of the model that serves while the gate names no other */
  source(task: string, firstDir: string): Promise<Source>;
}

export function openRegistry(settings: Pick<Settings, 'dataDir' | 'registryDir'>): ServingRegistry {
  const keys = trustedKeys(keyPaths(settings.dataDir).public);
  const { models: modelsDir } = registryPaths(settings);
  return {
    keys,
    source: (task, firstDir) => openSource({ task, firstDir, modelsDir, keys }),
  };
}

/** The consumer, which also ends when its models say so, and closes them after its last slice. */
export function withModels(
  consumer: Consumer,
  modelsEnded: Promise<Error | null>,
  closeModels: () => Promise<void>,
): Consumer {
  return {
    assigned: () => consumer.assigned(),
    idleMs: () => consumer.idleMs(),
    ended: Promise.race([consumer.ended, modelsEnded]),
    async close() {
      await consumer.close();
      await closeModels();
    },
  };
}
