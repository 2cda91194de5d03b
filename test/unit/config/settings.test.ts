import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DECLARED, loadSettings } from '../../../src/config/settings.ts';
import { ROOT } from '../../support/tocsin.ts';

describe('settings', () => {
  it('take defaults, then the environment, then flags', () => {
    expect(loadSettings({}, {}).port).toBe(8787);
    expect(loadSettings({}, { TOCSIN_PORT: '9000' }).port).toBe(9000);
    expect(loadSettings({ port: '9001' }, { TOCSIN_PORT: '9000' }).port).toBe(9001);
  });

  it('refuse values out of range and unknown variables, all at once', () => {
    expect(() =>
      loadSettings({ port: '70000' }, { TOCSIN_PROT: '1', TOCSIN_BUS: 'carrier-pigeon' }),
    ).toThrowError(/TOCSIN_BUS.*--port.*TOCSIN_PROT is not a setting/s);
  });

  it('ask for brokers on Kafka', () => {
    expect(() => loadSettings({ bus: 'kafka' }, {})).toThrowError(/KAFKA_BROKERS/);
    expect(loadSettings({ bus: 'kafka' }, { KAFKA_BROKERS: 'a:1, b:2' }).brokers).toEqual(['a:1', 'b:2']);
  });

  it('are all described in docs/settings.md', () => {
    const page = readFileSync(join(ROOT, 'docs', 'settings.md'), 'utf8');
    for (const { env, doc } of DECLARED) {
      expect(page).toContain(`\`${env}\``);
      expect(page).toContain(doc.replaceAll('|', '\\|'));
    }
  });
});
