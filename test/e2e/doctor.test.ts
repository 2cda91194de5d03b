/** tocsin doctor, as a person runs it: what it finds, what it advises, and its exit codes. */
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder, tocsin } from '../support/tocsin.ts';

interface Report {
  readonly ok: boolean;
  readonly findings: readonly { name: string; state: string; what: string; fix: string | null }[];
}

describe('tocsin doctor', () => {
  const folder = temporaryFolder('tocsin-doctor-');
  afterAll(() => folder.remove());

  const doctor = async (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ code: unknown; report: Report; of: (name: string) => Report['findings'][number] }> => {
    const base = ['doctor', '--output', 'json', '--data', join(folder.path, 'data')];
    const { code, stdout } = await tocsin([...base, ...args], { TOCSIN_PORT: '0', ...env });
    const report = JSON.parse(stdout) as Report;
    return { code, report, of: (name) => report.findings.find((f) => f.name === name) as never };
  };

  it('is content with a machine that has what is needed, and names engines and versions', async () => {
    const { code, report, of } = await doctor([]);
    expect(report.findings.filter(({ state }) => state === 'problem')).toEqual([]);
    expect([code, report.ok]).toEqual([0, true]);
    expect(of('node').what).toBe(process.versions.node);
    expect(of('serving').what).toMatch(/^ONNX Runtime \d/);
    expect(of('encoders').what).toMatch(/^minilm-int8, efficientnet-lite0/);
    expect(of('model').what).toContain('all files as its manifest says');
  });

  it('says how to get tfjs-node, and that training takes wasm without it', async () => {
    const { code, of } = await doctor([], { TOCSIN_CACHE: join(folder.path, 'empty') });
    expect(of('tfjs-node')).toMatchObject({ state: 'note', what: expect.stringContaining('npm run native') });
    expect(of('training').what).toMatch(/ wasm \(--backend auto takes wasm/);
    expect(code).toBe(0);
  });

  it('ends with 3 when something does not work, and with --strict when something is missing', async () => {
    const broken = await doctor([], { TOCSIN_MODEL: join(folder.path, 'no-model') });
    expect([broken.code, broken.report.ok, broken.of('model').state]).toEqual([3, false, 'problem']);
    const { code } = await doctor(['--strict'], { TOCSIN_CACHE: join(folder.path, 'empty') });
    expect(code).toBe(3);
  });

  it('notes a port that is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      const { code, of } = await doctor([], { TOCSIN_PORT: String(port) });
      expect(of('dashboard')).toMatchObject({ state: 'note', what: expect.stringContaining('EADDRINUSE') });
      expect(code).toBe(0);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('ends with 4 when no broker answers, and with 2 for an output that there is not', async () => {
    const { code, of } = await doctor(['--bus', 'kafka', '--brokers', '127.0.0.1:9']);
    expect([code, of('bus').state]).toEqual([4, 'unreachable']);
    expect((await tocsin(['doctor', '--output', 'xml'])).code).toBe(2);
  });
});
