/** Opens the bus that the settings name. Adapters are loaded only when they are asked for. */
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Bus } from './port.ts';
import { loadTopics, topicSpec } from './topics.ts';

export interface BusOptions {
  readonly bus: 'embedded' | 'kafka';
  readonly brokers: readonly string[];
  readonly dataDir: string;
  readonly environment: string;
  readonly embeddedMaxBytes: number;
  readonly sessionTimeoutMs?: number;
}

/**
 * The embedded bus makes the topics that it lacks; on Kafka that is `tocsin topics apply`.
 * Throws BUS_UNREACHABLE when no broker answers.
 */
export async function openBus(
  options: BusOptions,
  deps: { readonly clock: Clock; readonly log: Log },
): Promise<Bus> {
  if (options.bus === 'kafka') {
    const { openKafkaBus } = await import('./kafka/bus.ts');
    const { brokers, environment, sessionTimeoutMs } = options;
    return openKafkaBus({
      brokers,
      environment,
      ...(sessionTimeoutMs ? { sessionTimeoutMs } : {}),
      ...deps,
    });
  }
  const { openEmbeddedBus } = await import('./embedded/bus.ts');
  const bus = await openEmbeddedBus({
    dir: join(options.dataDir, 'bus'),
    environment: options.environment,
    maxBytes: options.embeddedMaxBytes,
    ...deps,
  });
  await bus.admin.createTopics(loadTopics().map(topicSpec));
  return bus;
}
