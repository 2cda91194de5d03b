/**
 * Builds a tfjs-node addon without the download of its install script: the locked npm packages, libtensorflow and its
 * headers out of a Python wheel (an archive like any other), the two C++ files of the addon, a smoke test.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { cacheDir } from '../../src/config/cache.ts';
import { BUILT_FILE, NATIVE_BUILDS, type NativeBackend, nativeDir } from '../../src/models/engine/native.ts';

/** Nothing is wrong here, but something from outside is not to be had; the message says what to do. */
export class NotToBeHad extends Error {}

interface BuildRequest {
  readonly backend: NativeBackend;
  readonly force: boolean;
  /** The project's folder. */
  readonly root: string;
  readonly say: (line: string) => void;
}

const APT_INSTALL = 'apt-get install -y --no-install-recommends g++ python3 python3-pip';
const PYTHON = 'python3';
const COMPILER = process.env['CXX'] ?? 'g++';
/** The C API, and what it includes; some of it moved from tsl/ to xla/tsl/ over TensorFlow's versions. */
const HEADER =
  /^tensorflow\/include\/((?:tensorflow\/c\/(?:eager\/)?(?:c_api|tf_)\w*|(?:xla\/)?tsl\/c\/tsl_status|(?:tensorflow\/core|(?:xla\/)?tsl)\/platform\/ctstring\w*)\.h)$/;
const LIBRARY = /^tensorflow\/(libtensorflow(?:_cc|_framework)\.so\.2)$/;

interface Ran {
  readonly ok: boolean;
  readonly output: string;
}

function run(command: string, args: readonly string[], options: { cwd?: string } = {}): Ran {
  const done = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  return { ok: done.status === 0, output: `${done.stdout ?? ''}${done.stderr ?? ''}${done.error ?? ''}` };
}

/** Makes sure that the addon is built and works. */
export async function buildNative({ backend, force, root, say }: BuildRequest): Promise<void> {
  const cache = cacheDir();
  const dir = nativeDir(cache, backend);
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new NotToBeHad(
      `${backend} is built on Linux x64 only; this is ${process.platform} ${process.arch}. Training runs on WebAssembly.`,
    );
  if (existsSync(join(dir, BUILT_FILE)) && !force) {
    const problem = isUnchanged(dir) ? smokeTest(dir, backend, root) : 'its files have changed';
    if (!problem) return say(`${backend} works (${dir})`);
    say(`${backend} in ${dir} is built again: ${problem}`);
  }
  needTools(say);
  mkdirSync(cache, { recursive: true });
  const aside = mkdtempSync(join(cache, `${backend}-partial-`));
  const since = performance.now();
  try {
    installPackages(aside, join(root, 'deploy', 'native', backend), say);
    const archive = fetchWheel(aside, backend, say);
    unpack(archive, aside, backend, say);
    rmSync(archive);
    compile(aside, backend, say);
    const problem = smokeTest(aside, backend, root);
    if (problem) throw new Error(`the addon was built but does not work: ${problem}`);
    writeFileSync(join(aside, BUILT_FILE), `${JSON.stringify(sumsOf(aside), null, 2)}\n`);
    rmSync(dir, { recursive: true, force: true });
    renameSync(aside, dir);
    say(`${backend} is ready after ${Math.round((performance.now() - since) / 1_000)} s (${dir})`);
  } catch (thrown) {
    // Another process may have been faster; its folder is as good.
    if (force || !existsSync(join(dir, BUILT_FILE))) throw thrown;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

function missingTools(): string[] {
  return [
    ...(run(COMPILER, ['--version']).ok ? [] : [COMPILER]),
    ...(run(PYTHON, ['-m', 'pip', '--version']).ok ? [] : ['python3 with pip']),
  ];
}

/** Installs the compiler and pip where that is ours to do: on Debian, as root. */
function needTools(say: BuildRequest['say']): void {
  let missing = missingTools();
  if (missing.length > 0 && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    say(`installing ${missing.join(' and ')} with apt-get`);
    const apt = (command: string): boolean =>
      run('sh', ['-c', `DEBIAN_FRONTEND=noninteractive ${command}`]).ok;
    if (!apt(APT_INSTALL)) {
      apt('apt-get update');
      apt(APT_INSTALL);
    }
    missing = missingTools();
  }
  if (missing.length > 0)
    throw new NotToBeHad(
      `building tfjs-node needs ${missing.join(' and ')}; on Debian or Ubuntu: sudo ${APT_INSTALL}`,
    );
}

/** node_modules as the lock in `pinned` has them; npm checks their sums. */
function installPackages(aside: string, pinned: string, say: BuildRequest['say']): void {
  say('fetching the npm packages');
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(join(pinned, file), join(aside, file));
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env['npm_execpath'];
  const done = npm?.endsWith('.js')
    ? run(process.execPath, [npm, ...args], { cwd: aside })
    : run('npm', args, { cwd: aside });
  if (!done.ok) throw fetchFailure('npm could not fetch the packages of tfjs-node', done);
}

/** pip checks the sum. @returns the wheel's path */
function fetchWheel(aside: string, backend: NativeBackend, say: BuildRequest['say']): string {
  const { name, version, sha256 } = NATIVE_BUILDS[backend].wheel;
  say(`fetching TensorFlow ${version} with pip`);
  const requirements = join(aside, 'requirements.txt');
  writeFileSync(requirements, `${name}==${version} --hash=sha256:${sha256}\n`);
  const platform = ['--python-version', '311', '--implementation', 'cp', '--abi', 'cp311'].concat(
    ['manylinux_2_17_x86_64', 'manylinux2014_x86_64'].flatMap((tag) => ['--platform', tag]),
  );
  const patience = ['--timeout', '60', '--retries', '5', '--disable-pip-version-check', '--no-cache-dir'];
  const what = ['--no-deps', '--only-binary=:all:', '--require-hashes', '-r', requirements, '-d', aside];
  const done = run(PYTHON, ['-m', 'pip', 'download', '-q', ...patience, ...platform, ...what]);
  const file = readdirSync(aside).find((entry) => entry.endsWith('.whl'));
  if (!done.ok || !file) throw fetchFailure(`pip could not fetch ${name} ${version}`, done);
  return join(aside, file);
}

/** A wrong sum is a real failure; anything else that keeps a registry from answering is not ours. */
function fetchFailure(doing: string, { output }: Ran): Error {
  const wrong = /EINTEGRITY|DO NOT MATCH THE HASHES/.test(output);
  return new (wrong ? Error : NotToBeHad)(`${doing}: ${output.trim().slice(-1_000)}`);
}

const moduleDir = (dir: string, backend: NativeBackend): string =>
  join(dir, 'node_modules', NATIVE_BUILDS[backend].package);

function unpack(archive: string, dir: string, backend: NativeBackend, say: BuildRequest['say']): void {
  say(`unpacking ${basename(archive)} (${Math.round(statSync(archive).size / 2 ** 20)} MiB)`);
  const deps = join(moduleDir(dir, backend), 'deps');
  const put = (path: string, data: Buffer, mode: number): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, data, { mode });
  };
  // adm-zip comes with tfjs-node; it inflates one entry at a time.
  const AdmZip = createRequire(join(moduleDir(dir, backend), 'package.json'))('adm-zip');
  for (const entry of new AdmZip(archive).getEntries()) {
    const library = LIBRARY.exec(entry.entryName)?.[1];
    const header = HEADER.exec(entry.entryName)?.[1];
    if (library) put(join(deps, 'lib', library), entry.getData(), 0o755);
    if (header) put(join(deps, 'include', header), entry.getData(), 0o644);
  }
  // The names that the linker looks for.
  symlinkSync('libtensorflow_cc.so.2', join(deps, 'lib', 'libtensorflow.so'));
  symlinkSync('libtensorflow_framework.so.2', join(deps, 'lib', 'libtensorflow_framework.so'));
}

/** What node-gyp would run for the package's binding.gyp, without node-gyp: two files, one command. */
function compile(dir: string, backend: NativeBackend, say: BuildRequest['say']): void {
  say('compiling the addon');
  const module = moduleDir(dir, backend);
  const out = join(module, 'lib', 'napi-v8');
  mkdirSync(out, { recursive: true });
  const headers = createRequire(join(dir, 'package.json'))('node-api-headers').include_dir as string;
  const defines = ['NAPI_VERSION=8', 'NODE_GYP_MODULE_NAME=tfjs_binding', 'BUILDING_NODE_EXTENSION'];
  const includes = [join(module, 'deps', 'include'), dirname(module), module, headers];
  const done = run(
    COMPILER,
    [
      ...['-O2', '-std=c++17', '-fPIC', '-shared', '-w'],
      ...defines.map((define) => `-D${define}`),
      ...includes.map((include) => `-I${include}`),
      ...['binding/tfjs_backend.cc', 'binding/tfjs_binding.cc', '-o', join(out, 'tfjs_binding.node')],
      ...[`-L${join(module, 'deps', 'lib')}`, '-ltensorflow', '-ltensorflow_framework'],
      '-Wl,-rpath,$ORIGIN/../../deps/lib',
    ],
    { cwd: module },
  );
  if (!done.ok) throw new Error(`${COMPILER} failed: ${done.output.trim().slice(-2_000)}`);
}

/** Multiplies two matrices in a process of its own. @returns what is wrong, or null */
function smokeTest(dir: string, backend: NativeBackend, root: string): string | null {
  const native = new URL('../../src/models/engine/native.ts', import.meta.url).href;
  const code = `
    import { loadNative } from ${JSON.stringify(native)};
    const tf = loadNative(${JSON.stringify(dir)}, ${JSON.stringify(backend)});
    const product = tf.matMul(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor2d([[5, 6], [7, 8]]));
    process.stdout.write(tf.getBackend() + ' ' + product.dataSync().join());`;
  const done = run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], { cwd: root });
  return done.ok && done.output.endsWith('tensorflow 19,22,43,50') ? null : done.output.trim().slice(-1_000);
}

/** sha256 of the binaries, by path below `dir`. */
function sumsOf(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter(
    (file) => /\.so\.2$|tfjs_binding\.node$/.test(file) && statSync(join(dir, file)).isFile(),
  );
  return Object.fromEntries(
    files.sort().map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(join(dir, file)))
        .digest('hex'),
    ]),
  );
}

function isUnchanged(dir: string): boolean {
  const recorded = JSON.parse(readFileSync(join(dir, BUILT_FILE), 'utf8')) as Record<string, string>;
  return JSON.stringify(recorded) === JSON.stringify(sumsOf(dir));
}
