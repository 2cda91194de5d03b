/** The topics as files: topics/*.yaml, checked and turned into what a bus can create. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { TocsinError } from '../base/errors.ts';
import type { TopicSpec } from './port.ts';
import { recordNames, TOPICS_DIR } from './schemas.ts';

/** The one list of topic names. A test holds it against topics/. */
export const TOPICS = {
  events: 'crisis.events.v1',
  media: 'crisis.media.v1',
  labels: 'crisis.labels.v1',
  evidence: 'crisis.evidence.v1',
  scoring: 'crisis.scoring.v1',
  claims: 'crisis.claims.v1',
  rumors: 'crisis.rumors.v1',
  alerts: 'crisis.alerts.v1',
  feedback: 'crisis.feedback.v1',
  requests: 'crisis.requests.v1',
  models: 'crisis.models.v1',
  adversarial: 'crisis.adversarial.v1',
  state: 'crisis.state.v1',
  dlq: 'crisis.dlq.v1',
  audit: 'crisis.audit.v1',
} as const;

/** One topics/*.yaml. */
export interface TopicFile {
  readonly name: string;
  readonly key: string;
  readonly partitions: number;
  readonly retentionDays: number | null;
  readonly cleanup: 'delete' | 'compact';
  readonly writers: readonly string[];
  readonly readers: readonly string[];
  readonly records: readonly string[];
}

const schema: z.ZodType<TopicFile> = z.strictObject({
  name: z.string().regex(/^crisis\.[a-z]+\.v\d+$/),
  key: z.string(),
  partitions: z.int().min(1),
  retentionDays: z.number().positive().nullable(),
  cleanup: z.enum(['delete', 'compact']),
  writers: z.array(z.string()).min(1),
  readers: z.array(z.string()).min(1),
  records: z.array(z.string()).min(1),
});

/** Every topic file, in name order. Throws BAD_CONFIG, naming the file, when one is wrong. */
export function loadTopics(dir: string = TOPICS_DIR): TopicFile[] {
  const known = new Set(recordNames(dir));
  return readdirSync(dir)
    .filter((file) => file.endsWith('.yaml') && file !== 'asyncapi.yaml')
    .sort()
    .map((file) => {
      const parsed = schema.safeParse(parse(readFileSync(join(dir, file), 'utf8')));
      if (!parsed.success)
        throw new TocsinError('BAD_CONFIG', `topics/${file}: ${z.prettifyError(parsed.error)}`);
      const topic = parsed.data;
      if (`${topic.name}.yaml` !== file)
        throw new TocsinError('BAD_CONFIG', `topics/${file} describes ${topic.name}`);
      for (const record of topic.records)
        if (!known.has(record))
          throw new TocsinError('BAD_CONFIG', `topics/${file}: no schema for record ${record}`);
      return topic;
    });
}

/** What a bus needs to know to create the topic. */
export function topicSpec(topic: TopicFile): TopicSpec {
  return {
    name: topic.name,
    partitions: topic.partitions,
    retentionMs: topic.retentionDays === null ? null : topic.retentionDays * 86_400_000,
    cleanup: topic.cleanup,
  };
}
