/** Which metrics a PromQL expression asks for, held against what a process really exposes. */
import { CATALOGUE } from '../../../src/metrics/catalogue.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';

/** Labels that Prometheus or our scrape configuration adds. */
const ADDED_LABELS = ['job', 'instance', 'service', 'le'];

/** Name → its labels; null for prom-client's own, whose labels are not ours to check. */
async function exposedMetrics(): Promise<ReadonlyMap<string, readonly string[] | null>> {
  const exposed = new Map<string, readonly string[] | null>();
  for (const [name, { type, labels }] of Object.entries(CATALOGUE)) {
    if (type === 'histogram')
      for (const part of ['bucket', 'sum', 'count']) exposed.set(`${name}_${part}`, labels);
    else exposed.set(name, labels);
  }
  const { body } = await createMetrics().expose();
  for (const [, name] of body.matchAll(/^# TYPE (\S+)/gm))
    if (name) exposed.set(name, exposed.get(name) ?? null);
  return exposed;
}

/** Metrics of ours (or Node's) that do not exist, and `metric{label}` for labels that a metric does not have. */
export async function unknownMetrics(expr: string): Promise<string[]> {
  const exposed = await exposedMetrics();
  const wrong: string[] = [];
  for (const [, name, selector] of expr.matchAll(/\b((?:tocsin|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)) {
    if (name === undefined) continue;
    const labels = exposed.get(name);
    if (labels === undefined) wrong.push(name);
    else if (labels !== null)
      for (const [, label] of (selector ?? '').matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g))
        if (label && !labels.includes(label) && !ADDED_LABELS.includes(label))
          wrong.push(`${name}{${label}}`);
  }
  return wrong;
}
