/**
 * Opens an embedded store in a process of its own and commits as fast as it can until it is killed or told to end (SIGTERM).
 * It counts up under its name, and reads back what it has left: prints `ready`, a line for everything that is not as it was
 * left, and at the end how many commits there were. Every third transaction throws or changes nothing.
 * Run: node --import tsx test/support/commit-child.ts FILE NAME
 */
import { openStore } from '../../src/bus/embedded/store.ts';

const KEPT = 100;
const [path, name] = process.argv.slice(2) as [string, string];
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const store = await openStore(path, 1_000_000_000, () => {});
const body = (n: number): Uint8Array => new Uint8Array(200 + ((n * 37) % 9_000)).fill(n % 251);
let over = false;
process.on('SIGTERM', () => {
  over = true;
});
say('ready');
let count = 0;
for (; !over; count += 1) {
  if (count % 3 === 1)
    await store
      .write(() => {
        store.meta.put(['count', name], -1);
        throw new Error('not this one');
      })
      .catch(() => {});
  if (count % 3 === 2) await store.write(() => {}, true);
  const found = await store.write(() => {
    const before = (store.meta.get(['count', name]) as number | undefined) ?? 0;
    store.meta.put(['count', name], before + 1);
    store.chunks.put([name, 0, before], body(before));
    store.chunks.remove([name, 0, before - KEPT]);
    return before;
  });
  if (found !== count) {
    say(`lost: ${name} had counted to ${count}, found ${found}`);
    count = found;
  }
  if (count % KEPT === KEPT - 1) {
    store.fresh();
    for (let n = count - KEPT + 1; n <= count; n += 1)
      if (Buffer.compare(store.chunks.get([name, 0, n]) ?? Buffer.of(), body(n)) !== 0)
        say(`damaged: ${name}'s chunk ${n}`);
  }
}
await store.close();
say(`committed ${count}`);
