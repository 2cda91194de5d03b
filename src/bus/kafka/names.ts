/** What things are called on the broker: environments share one cluster by prefix. */

/** The environment that has plain names. */
const PLAIN = 'lab';

export interface Names {
  readonly environment: string;
  topic(logical: string): string;
  /** Null for a topic of another environment, and for Kafka's own. */
  logical(topic: string): string | null;
  group(service: string): string;
  transactionalId(service: string, topic: string, partition: number): string;
}

export function createNames(environment: string): Names {
  const prefix = environment === PLAIN ? '' : `${environment}.`;
  return {
    environment,
    topic: (logical) => `${prefix}${logical}`,
    logical: (topic) =>
      topic.startsWith('__') || !topic.startsWith(prefix) ? null : topic.slice(prefix.length),
    group: (service) => `${environment}.${service}`,
    transactionalId: (service, topic, partition) => `${environment}.${service}.${topic}.${partition}`,
  };
}

/** The key of a state entry in crisis.state.v1. The entry may contain slashes; service and topic do not. */
export function stateKey(service: string, topic: string, partition: number, entry: string): string {
  return `${service}/${topic}/${partition}/${entry}`;
}

/** What a key of crisis.state.v1 says about this service and topic; null when it is about another. */
export function parseStateKey(
  key: string,
  service: string,
  topic: string,
): { readonly partition: number; readonly entry: string } | null {
  const prefix = `${service}/${topic}/`;
  if (!key.startsWith(prefix)) return null;
  const slash = key.indexOf('/', prefix.length);
  const partition = slash < 0 ? Number.NaN : Number(key.slice(prefix.length, slash));
  return Number.isInteger(partition) ? { partition, entry: key.slice(slash + 1) } : null;
}
