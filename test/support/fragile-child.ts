/** The decoding process, but one that some bytes can kill or hang. */
import { serveParent } from '../../src/media/child-protocol.ts';
import { decodePicture } from '../../src/media/decode.ts';
import { checkPicture, shutLoaders } from '../../src/media/image-check.ts';
import { refuse } from '../../src/media/refusal.ts';
import { openMediaStore } from '../../src/media/store.ts';

shutLoaders();
const { dataDir } = JSON.parse(process.argv[2] ?? '{}') as { readonly dataDir: string | null };
serveParent({
  fetch: async (url) => {
    if (url.endsWith('/kill')) process.kill(process.pid, 'SIGKILL');
    const words = url.endsWith('/args') ? process.argv[2] : url;
    return { bytes: new TextEncoder().encode(words) };
  },
  stored: async (key) => (dataDir === null ? null : openMediaStore(dataDir).quarantine.get(key)),
  decode: async (bytes) => {
    const word = Buffer.from(bytes).toString('latin1', 0, 4);
    if (word === 'KILL') process.kill(process.pid, 'SIGKILL');
    if (word === 'HANG') for (;;);
    if (word === 'WAIT') await new Promise((resolve) => setTimeout(resolve, 300));
    if (word === 'ENVS') return refuse('bad_request', Object.keys(process.env).sort().join(','));
    if (word === 'ARGS') return refuse('bad_request', process.argv[2]);
    return (await checkPicture(bytes)) ?? decodePicture(bytes);
  },
  close: async () => {},
});
