/** People change what serves, as they do it: gate and label worker as processes, `tocsin models …` beside them. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { createCodec } from '../../src/bus/codec.ts';
import { message, NO_LINEAGE } from '../../src/bus/messages.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import type { PostEvent } from '../../src/event/records.ts';
import { type Artefact, loadArtefact } from '../../src/models/artefact.ts';
import { writeArtefact } from '../../src/registry/artefact.ts';
import { CHAMPION_DIR } from '../../src/registry/champions.ts';
import { keyPaths, registryPaths } from '../../src/registry/layout.ts';
import { publishVersion } from '../../src/registry/publish.ts';
import { openSigner } from '../../src/registry/signing.ts';
import { trustedKeys } from '../../src/registry/verify.ts';
import { busFlags, openTarget, prepare, recordsIn, startService, type Target } from './pipeline.ts';
import { textPost } from './text-post.ts';
import { eventually, temporaryFolder, tocsin, tocsinOk } from './tocsin.ts';

const TEXT = 'Water is rising fast near the bridge, families are trapped on roofs and need boats now.';
const codec = createCodec();

const post = (id: string): PostEvent => textPost(id, TEXT, 'flood');

/** The shipped model under another version. */
export async function writeTwin(dir: string): Promise<Artefact> {
  const shipped = await loadArtefact(CHAMPION_DIR);
  const { files, ...manifest } = shipped.manifest;
  const contents = Object.fromEntries(Object.keys(files).map((name) => [name, shipped.bytes(name)]));
  return writeArtefact(dir, contents, { ...manifest, version: 'twin' });
}

/** Signed as the gate signs what passed. */
async function publishTwin(dataDir: string): Promise<Artefact> {
  return publishVersion(await writeTwin(join(dataDir, 'twin')), {
    modelsDir: registryPaths({ registryDir: '', dataDir }).models,
    signer: openSigner(codec, dataDir),
    keys: trustedKeys(keyPaths(dataDir).public),
  });
}

interface SeenLabel {
  readonly postId: string;
  readonly modelSequence: number;
  readonly version: string | undefined;
}

/** The way from the shipped model to another and back, with every command. Says how long the rollback took; the issue asks for 5 s. */
export async function changeByCommand(given: Omit<Target, 'dataDir'>): Promise<void> {
  const folder = temporaryFolder('tocsin-models-');
  const target: Target = { ...given, dataDir: folder.path };
  const flags = [...busFlags(target), '--log', 'error'];
  const shipped = (await loadArtefact(CHAMPION_DIR)).manifest.version;
  try {
    await prepare(target);
    await publishTwin(folder.path);
    const bus = await openTarget(target);
    const label = await startService(target, 'label');
    const gate = await startService(target, 'gate');
    try {
      let posts = 0;
      const send = async (): Promise<string> => {
        posts += 1;
        const event = post(`p${posts}`);
        const options = {
          key: event.id,
          id: event.id,
          source: 'test',
          time: event.createdAt,
          lineage: NO_LINEAGE,
        };
        await bus.produce([message(codec, TOPICS.events, event, options)]);
        return event.id;
      };
      const labels = async (): Promise<SeenLabel[]> =>
        (await recordsIn(bus, TOPICS.labels)).map(({ record }) => {
          const tasks = record['tasks'] as { task: string; model: { version: string } | null }[];
          return {
            postId: record['postId'] as string,
            modelSequence: record['modelSequence'] as number,
            version: tasks.find(({ task }) => task === 'informative')?.model?.version,
          };
        });
      /** Posts until one is labelled by this version; its label. */
      const labelledBy = (version: string): Promise<SeenLabel> =>
        eventually(
          `a label by ${version}`,
          async () => {
            const id = await send();
            const mine = await eventually(`the label of ${id}`, async () =>
              (await labels()).find(({ postId }) => postId === id),
            );
            return mine.version === version && mine;
          },
          { everyMs: 50 },
        );
      const ask = async (...args: string[]) => {
        const { code, stdout, stderr } = await tocsin([
          'models',
          ...args,
          '--reason',
          'drill',
          '--by',
          'ada',
          '--output',
          'json',
          ...flags,
        ]);
        return {
          code,
          answer: stdout ? (JSON.parse(stdout) as { what: string; seconds: number }) : null,
          stderr,
        };
      };

      const first = await labelledBy(shipped);
      expect(first.modelSequence).toBe(0);
      expect(await ask('promote', 'informative', 'twin')).toMatchObject({
        code: 0,
        answer: { what: 'state 1: promote informative' },
      });
      const second = await labelledBy('twin');
      expect(second.modelSequence).toBe(1);

      const asked = performance.now();
      const rollback = await ask('rollback', 'informative');
      expect(rollback).toMatchObject({ code: 0, answer: { what: 'state 2: rollback informative' } });
      expect((await labelledBy(shipped)).modelSequence).toBe(2);
      const tookMs = Math.round(performance.now() - asked);
      process.stdout.write(
        `rollback on ${target.bus}: ${tookMs} ms from the start of the command to a label of the version before\n`,
      );

      expect(await ask('promote', 'informative', 'nowhere')).toMatchObject({ code: 3 });
      expect(await ask('pin', 'informative')).toMatchObject({ code: 0 });
      const listed = (await tocsinOk(['models', 'list', '--output', 'json', ...flags]))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter(({ task }) => task === 'informative');
      expect(listed).toMatchObject([
        { version: shipped, role: 'champion', pinned: true, sequence: 3 },
        { version: 'twin', role: null, pinned: false },
      ]);

      const why = JSON.parse(
        await tocsinOk(['models', 'why', second.postId, '--output', 'json', ...flags]),
      ) as { labels: Record<string, unknown>[]; today: Record<string, unknown> };
      expect(why.labels[0]).toMatchObject({
        sequence: 1,
        state: { why: expect.stringContaining('promote informative, by ada: drill') },
        tasks: expect.arrayContaining([
          expect.objectContaining({
            task: 'informative',
            model: expect.objectContaining({ version: 'twin' }),
          }),
        ]),
      });
      expect(why.today).toMatchObject({
        sequence: 3,
        tasks: expect.arrayContaining([
          expect.objectContaining({
            task: 'informative',
            model: expect.objectContaining({ version: shipped }),
          }),
        ]),
      });
      const history = await tocsinOk(['models', 'history', ...flags]);
      expect(history.trim().split('\n')).toHaveLength(4);
      expect(await tocsinOk(['models', 'verify', ...flags])).toContain('4 entries, 0 breaks');
      expect([await gate.kill(), await label.kill()]).toEqual([0, 0]);
    } finally {
      await gate.kill('SIGKILL');
      await label.kill('SIGKILL');
      await bus.close();
    }
  } finally {
    folder.remove();
  }
}
