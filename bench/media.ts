/**
 * Pictures per second through the media worker's settling, without a bus. Prints one JSON object.
 *   node --import tsx bench/media.ts [--pictures N] [--concurrency N]
 * Pictures are drawn into a temporary folder: `distinct` sends each once, `repeats` sends few pictures often.
 */
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { drawScene } from '../scripts/lib/scenes.ts';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { machine } from '../src/base/machine.ts';
import { seededRandom } from '../src/base/random.ts';
import { createDecoder } from '../src/media/decoder.ts';
import { createPictures, type Pictures } from '../src/media/pictures.ts';
import { openMediaStore } from '../src/media/store.ts';
import { createMetrics } from '../src/metrics/metrics.ts';
import { startPictureServer } from '../test/support/picture-server.ts';
import { temporaryFolder } from '../test/support/tocsin.ts';
import { cpuSeconds, round, rssMiB } from './lib/machine.ts';

const { values: flags } = parseArgs({
  options: {
    pictures: { type: 'string', default: '1500' },
    concurrency: { type: 'string', default: '32' },
  },
});
const COUNT = Number(flags.pictures);
const CONCURRENCY = Number(flags.concurrency);
/** MediaEval has 410 pictures in some 17,000 posts. */
const POSTS_PER_PICTURE = 40;

/** `count` different 1024 × 768 JPEGs of about 100 KB: scenes with the grain of a camera. */
async function drawPictures(count: number): Promise<Uint8Array[]> {
  const random = seededRandom(7);
  const { data, info } = await sharp(Buffer.from(drawScene(1, 1024, 768)))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pictures: Uint8Array[] = [];
  for (let i = 0; i < count; i += 1) {
    if (i % 50 === 0) {
      const scene = await sharp(Buffer.from(drawScene(i + 1, info.width, info.height)))
        .removeAlpha()
        .raw()
        .toBuffer();
      for (let k = 0; k < data.length; k += 1)
        data[k] = Math.max(0, Math.min(255, (scene[k] as number) + Math.floor(random() * 19) - 9));
    }
    // Another corner each time makes another file; drawing everything anew would take minutes.
    data.fill(i & 255, (i >> 8) * 96, (i >> 8) * 96 + 96);
    pictures.push(
      await sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
        .jpeg({ quality: 82 })
        .toBuffer(),
    );
  }
  return pictures;
}

async function settleAll(
  pictures: Pictures,
  refs: readonly string[],
): Promise<{ perSecond: number; ready: number }> {
  let next = 0;
  let ready = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (let ref = refs[next++]; ref !== undefined; ref = refs[next++])
        if ((await pictures.settle(ref)).outcome === 'ready') ready += 1;
    }),
  );
  return { perSecond: round(refs.length / ((performance.now() - began) / 1_000)), ready };
}

const folder = temporaryFolder('tocsin-bench-media-');
const store = openMediaStore(folder.path);
const drawn = await drawPictures(COUNT);
const keys = await Promise.all(drawn.map((bytes) => store.quarantine.put(bytes)));
const refs = keys.map((key) => `store:${key}`);

/** A worker's pictures with nothing remembered, warmed up with one picture. */
async function measure(run: readonly string[]): Promise<object> {
  const decoder = createDecoder({
    settings: { fetchHosts: ['*'], fetchPrivate: true, dataDir: folder.path },
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics({ bare: true }),
  });
  const pictures = createPictures({
    previews: store.previews,
    decoder,
    clock: systemClock,
    metrics: createMetrics({ bare: true }),
  });
  await pictures.settle(run[0] as string);
  const parentCpu = process.cpuUsage();
  const childCpu = (): number =>
    Object.values(decoder.pids()).reduce<number>((sum, pid) => sum + (pid ? (cpuSeconds(pid) ?? 0) : 0), 0);
  const childBefore = childCpu();
  const result = await settleAll(pictures, run);
  const parent = process.cpuUsage(parentCpu);
  const rss = Object.fromEntries(
    Object.entries(decoder.pids()).map(([name, pid]) => [name, pid ? rssMiB(pid) : null]),
  );
  const costs = {
    parentCpuMs: round((parent.user + parent.system) / 1_000 / run.length, 2),
    childCpuMs: round(((childCpu() - childBefore) * 1_000) / run.length, 2),
    childRssMiB: rss,
  };
  await pictures.close();
  return { ...result, ...costs };
}

const server = await startPictureServer(
  Object.fromEntries(
    drawn.map((bytes, i) => [`/${i}.jpg`, (_request, response) => void response.end(bytes)]),
  ),
);
try {
  const random = seededRandom(11);
  const few = refs.slice(0, Math.max(1, Math.floor((COUNT * 4) / POSTS_PER_PICTURE)));
  const result = {
    bench: 'media',
    machine: machine(),
    pictures: COUNT,
    meanKB: round(drawn.reduce((sum, bytes) => sum + bytes.length, 0) / drawn.length / 1_000),
    inFlight: CONCURRENCY,
    distinctStored: await measure(refs),
    distinctFetched: await measure(drawn.map((_, i) => `${server.origin}/${i}.jpg`)),
    repeats: await measure(
      Array.from({ length: COUNT * 4 }, () => few[Math.floor(random() * few.length)] as string),
    ),
  };
  console.log(JSON.stringify(result));
} finally {
  await server.close();
  folder.remove();
}
