import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDoor } from '../../../../src/bus/embedded/door.ts';
import { placeOfPids } from '../../../../src/bus/embedded/place-of-pids.ts';
import { temporaryDir } from '../../../support/embedded.ts';
import { gate, until } from '../../../support/until.ts';

/** Two doors on one folder behave as two processes. */
function twoDoors(): { readonly dir: string; readonly doors: ReturnType<typeof createDoor>[] } {
  const dir = temporaryDir();
  return { dir, doors: [createDoor(dir), createDoor(dir)] };
}

const mark = (pid: number): string => JSON.stringify({ id: 'x', pid, place: placeOfPids() });
const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid;

describe('the door of an LMDB file', () => {
  it('opens only after every commit that has begun, and holds back the ones that come later', async () => {
    const { dir, doors } = twoDoors();
    const [committer, opener] = doors as [ReturnType<typeof createDoor>, ReturnType<typeof createDoor>];
    const events: string[] = [];
    const [first, opening] = [gate(), gate()];
    const commit = committer.pass(async () => {
      events.push('commit begins');
      await first.opened;
      events.push('commit ends');
    });
    const opened = opener.shut(async () => {
      events.push('opening begins');
      await opening.opened;
      events.push('opening ends');
    });
    await until(() => readdirSync(dir).includes('opening'), 'the door to be shut');
    const later = committer.pass(async () => void events.push('later commit'));
    first.open();
    await commit;
    await until(() => events.includes('opening begins'), 'the opening');
    opening.open();
    await Promise.all([opened, later]);
    expect(events).toEqual([
      'commit begins',
      'commit ends',
      'opening begins',
      'opening ends',
      'later commit',
    ]);
    expect(readdirSync(dir, { recursive: true })).toEqual(['committing']);
  });

  it('lets commits of several processes, and of one, go side by side', async () => {
    const { doors } = twoDoors();
    const all = gate();
    let inside = 0;
    const passing = [0, 0, 1].map((i) =>
      doors[i]?.pass(async () => {
        inside += 1;
        await all.opened;
      }),
    );
    await until(() => inside === 3, 'all three');
    all.open();
    await Promise.all(passing);
  });

  it('lets one at a time open', async () => {
    const { doors } = twoDoors();
    let inside = 0;
    const most = await Promise.all(
      [0, 1, 0, 1].map((i) =>
        doors[i]?.shut(async () => {
          inside += 1;
          const now = inside;
          await new Promise((resolve) => setImmediate(resolve));
          inside -= 1;
          return now;
        }),
      ),
    );
    expect(most).toEqual([1, 1, 1, 1]);
  });

  it('is left open by a failure inside', async () => {
    const { dir, doors } = twoDoors();
    const fails = async (): Promise<never> => {
      throw new Error('no');
    };
    await expect(doors[0]?.shut(fails)).rejects.toThrow('no');
    await expect(doors[0]?.pass(fails)).rejects.toThrow('no');
    expect(readdirSync(dir, { recursive: true })).toEqual(['committing']);
  });

  it('does not wait for the dead', async () => {
    const dir = temporaryDir();
    const door = createDoor(dir);
    writeFileSync(join(dir, 'opening'), mark(deadPid()));
    expect(await door.pass(async () => 'committed')).toBe('committed');
    mkdirSync(join(dir, 'committing'), { recursive: true });
    writeFileSync(join(dir, 'committing', 'x'), mark(deadPid()));
    expect(await door.shut(() => 'opened')).toBe('opened');
  });

  it('waits for who lives', async () => {
    const dir = temporaryDir();
    const door = createDoor(dir);
    writeFileSync(join(dir, 'committing', 'x'), mark(process.ppid));
    let opened = false;
    const opening = door.shut(() => {
      opened = true;
    });
    await until(() => readdirSync(dir).includes('opening'), 'the door to be shut');
    expect(opened).toBe(false);
    rmSync(join(dir, 'committing', 'x'));
    await opening;
  });
});
