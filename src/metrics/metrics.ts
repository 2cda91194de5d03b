/** The only door to prom-client. Modules are handed a `Metrics`; names come from the catalogue. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { CATALOGUE, type MetricName } from './catalogue.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Metrics {
  /**
   * Adds to a counter. By 0 it makes the series appear: one that is first seen at 1 hides its first event from `rate()`.
   */
  count(name: MetricName, labels?: Labels, by?: number): void;
  /** Sets a gauge. */
  set(name: MetricName, value: number, labels?: Labels): void;
  /** Puts a value into a histogram. */
  observe(name: MetricName, value: number, labels?: Labels): void;
  /** Prometheus text exposition. */
  expose(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Metrics of one process, with prom-client's own process metrics unless `bare`. */
export function createMetrics(options: { readonly bare?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (!options.bare) collectDefaultMetrics({ register: registry });
  const made = new Map<MetricName, Counter | Gauge | Histogram>();
  const get = (name: MetricName): Counter | Gauge | Histogram => {
    const existing = made.get(name);
    if (existing) return existing;
    const { type, help, labels, buckets } = CATALOGUE[name];
    const base = { name, help, labelNames: [...labels], registers: [registry] };
    const metric =
      type === 'counter'
        ? new Counter(base)
        : type === 'gauge'
          ? new Gauge(base)
          : new Histogram({ ...base, ...(buckets ? { buckets: [...buckets] } : {}) });
    made.set(name, metric);
    return metric;
  };
  return {
    count: (name, labels = {}, by = 1) => (get(name) as Counter).inc(labels, by),
    set: (name, value, labels = {}) => (get(name) as Gauge).set(labels, value),
    observe: (name, value, labels = {}) => (get(name) as Histogram).observe(labels, value),
    expose: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
