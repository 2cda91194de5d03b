/** What stands between the topics as they are and the topics as topics/ wants them. */
import type { TopicSpec } from './port.ts';

export type TopicStep =
  | { readonly kind: 'create'; readonly spec: TopicSpec }
  | { readonly kind: 'alter'; readonly spec: TopicSpec; readonly from: TopicSpec }
  /** Another partition count: keys would move, so this is never done. */
  | { readonly kind: 'conflict'; readonly spec: TopicSpec; readonly from: TopicSpec }
  | { readonly kind: 'keep'; readonly spec: TopicSpec };

/** One step per wanted topic, in its order. Topics that nobody wants are left alone: nothing is ever deleted. */
export function planTopics(wanted: readonly TopicSpec[], existing: readonly TopicSpec[]): TopicStep[] {
  const found = new Map(existing.map((topic) => [topic.name, topic]));
  return wanted.map((spec): TopicStep => {
    const from = found.get(spec.name);
    if (!from) return { kind: 'create', spec };
    if (from.partitions !== spec.partitions) return { kind: 'conflict', spec, from };
    if (from.retentionMs !== spec.retentionMs || from.cleanup !== spec.cleanup)
      return { kind: 'alter', spec, from };
    return { kind: 'keep', spec };
  });
}

/** Retention as people say it. */
export function describeRetention(retentionMs: number | null): string {
  if (retentionMs === null) return 'for ever';
  const days = retentionMs / 86_400_000;
  return days >= 1 ? `${Number(days.toFixed(2))} d` : `${Number((retentionMs / 3_600_000).toFixed(2))} h`;
}

/** A topic in one line. */
export function describeTopic(spec: TopicSpec): string {
  return `${spec.name}  ${spec.partitions} partitions, kept ${describeRetention(spec.retentionMs)}, ${spec.cleanup}`;
}

/** A step as a line of a diff: + create, ~ alter, ! conflict, blank for what stays. */
export function describeStep(step: TopicStep): string {
  switch (step.kind) {
    case 'create':
      return `+ ${describeTopic(step.spec)}`;
    case 'alter': {
      const retention = `kept ${describeRetention(step.from.retentionMs)} → ${describeRetention(step.spec.retentionMs)}`;
      const cleanup = `${step.from.cleanup} → ${step.spec.cleanup}`;
      const changes = [
        ...(step.from.retentionMs === step.spec.retentionMs ? [] : [retention]),
        ...(step.from.cleanup === step.spec.cleanup ? [] : [cleanup]),
      ];
      return `~ ${step.spec.name}  ${changes.join(', ')}`;
    }
    case 'conflict':
      return `! ${step.spec.name}  has ${step.from.partitions} partitions, wanted ${step.spec.partitions}: never changed, keys would move`;
    case 'keep':
      return `  ${describeTopic(step.spec)}`;
  }
}
