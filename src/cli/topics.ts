/** `tocsin topics`: shows, and makes, what topics/ describes. */
import type { Command } from 'commander';
import { TocsinError } from '../base/errors.ts';
import { describeStep, describeTopic, planTopics, type TopicStep } from '../bus/plan.ts';
import type { Bus } from '../bus/port.ts';
import { loadTopics, topicSpec } from '../bus/topics.ts';
import { EXIT, run, withBusFlags } from './runtime.ts';

type Flags = Readonly<Record<string, unknown>>;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function plan(bus: Bus): Promise<TopicStep[]> {
  const steps = planTopics(loadTopics().map(topicSpec), await bus.admin.topics());
  for (const step of steps) say(describeStep(step));
  const count = (kind: TopicStep['kind']): number => steps.filter((step) => step.kind === kind).length;
  say(
    `${count('create')} to create, ${count('alter')} to change, ${count('keep')} as they should be, ${count('conflict')} in conflict`,
  );
  return steps;
}

/** An environment is marked once, when it is made; calling it something else later is refused. */
async function mark(bus: Bus, environment: string, live: boolean): Promise<void> {
  const before = await bus.admin.live();
  if (before === live) return;
  if (before !== null)
    throw new TocsinError(
      'LIVE_ENVIRONMENT',
      `environment ${environment} was made ${before ? 'live' : 'not live'} and stays so`,
    );
  await bus.admin.markLive(live);
  say(`Environment ${environment} is marked ${live ? 'live: nothing may be replayed into it' : 'not live'}.`);
}

async function apply(bus: Bus, environment: string, flags: Flags): Promise<number> {
  const steps = await plan(bus);
  const conflict = steps.find((step) => step.kind === 'conflict');
  if (conflict)
    throw new TocsinError(
      'BUS_TOPIC_MISMATCH',
      `${conflict.spec.name} has another partition count; nothing was changed`,
    );
  const open = steps.filter((step) => step.kind !== 'keep');
  if (open.length > 0 && flags['yes'] !== true) {
    say('Nothing was changed; add --yes to do it.');
    return EXIT.usage;
  }
  for (const step of open) {
    if (step.kind === 'create') await bus.admin.createTopics([step.spec]);
    else await bus.admin.alterTopic(step.spec);
  }
  if (flags['yes'] === true) await mark(bus, environment, flags['live'] === true);
  if (open.length > 0) say(`Done: ${open.length} topics.`);
  return EXIT.ok;
}

export function register(program: Command): void {
  const topics = program
    .command('topics')
    .description('shows and makes the topics that the topics/ folder describes');
  const sub = (name: string, text: string): Command => withBusFlags(topics.command(name).description(text));

  sub('plan', 'shows what apply would do (exit code 3 when a topic is in conflict)').action((flags: Flags) =>
    run('topics', flags, async ({ bus }) => {
      const steps = await plan(bus);
      return steps.some((step) => step.kind === 'conflict') ? EXIT.problems : EXIT.ok;
    }),
  );
  sub('apply', 'makes and changes topics; never deletes one, never changes a partition count')
    .option('--yes', 'do it')
    .option('--live', 'mark a new environment live: replays into it are refused')
    .action((flags: Flags) => {
      const { yes: _yes, live: _live, ...rest } = flags;
      return run('topics', rest, ({ bus, settings }) => apply(bus, settings.environment, flags));
    });
  sub('list', 'lists the topics of the environment').action((flags: Flags) =>
    run('topics', flags, async ({ bus }) => {
      for (const topic of await bus.admin.topics()) say(describeTopic(topic));
      const live = await bus.admin.live();
      say(`Environment: ${live === null ? 'not marked' : live ? 'live' : 'not live'}`);
      return EXIT.ok;
    }),
  );
}
