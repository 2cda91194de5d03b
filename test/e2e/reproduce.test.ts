import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { writeRumourFolder } from '../support/rumour-folder.ts';
import { tocsin } from '../support/tocsin.ts';
import { writeWeiboFolder } from '../support/weibo-folder.ts';

it('reproduces a table in its quick form, and goes on from what is done', async () => {
  const out = mkdtempSync(join(tmpdir(), 'tocsin-reproduce-'));
  onTestFinished(() => rmSync(out, { recursive: true, force: true }));
  const args = ['reproduce', 'mmat', '--data', 'test/fixtures/datasets/crisismmd', '--quick', '--out', out];
  const first = await tocsin(args);
  expect(first.code).toBe(0);
  const report = readFileSync(join(out, 'report.md'), 'utf8');
  expect(report).toContain('### mill_fire');
  for (const model of ['majority', 'naive Bayes', 'text-cnn']) expect(report).toContain(`| ${model} |`);
  const runs = readdirSync(join(out, 'runs')).sort();
  // Undefended on two splits; seven defences on the one without leaks and two on the paper's; two seeds each.
  expect(runs).toHaveLength(22);
  for (const defence of [
    'none',
    'static (Algorithm 1)',
    'on the fly',
    'convex hull',
    'Eq. 2 and convex hull',
    'Eq. 2 and convex hull, part of the way',
  ])
    expect(report).toContain(`| ${defence} |`);
  // Once for the answers tipped on dev, once as they were trained.
  for (const rule of report.split('With the logits as they were trained:'))
    expect(rule).toMatch(/convex hull: E2 balanced accuracy .* over none; clean .*reached/);
  expect(report).toContain('With the logits as they were trained:');

  // A run of a defence is done again alone, and comes out the same.
  rmSync(join(out, 'runs', runs.find((name) => name.includes('.hull.')) as string));
  const second = await tocsin(args);
  expect(second.code).toBe(0);
  expect(second.stderr.match(/done before/g)).toHaveLength(21);
  expect(readFileSync(join(out, 'report.md'), 'utf8').replace(/\d+ minutes/, '')).toBe(
    report.replace(/\d+ minutes/, ''),
  );
});

it('reproduces all six models on pairs in the quick form, pictures attacked too', async () => {
  const out = mkdtempSync(join(tmpdir(), 'tocsin-reproduce-'));
  onTestFinished(() => rmSync(out, { recursive: true, force: true }));
  const data = join(out, 'data');
  await writeRumourFolder(data);
  const { code } = await tocsin(['reproduce', 'mmat', '--data', data, '--quick', '--out', out]);
  expect(code).toBe(0);
  const report = readFileSync(join(out, 'report.md'), 'utf8');
  for (const model of ['visual-cnn', 'text-cnn', 'mmn']) expect(report).toContain(`### ${model}, 1 seeds`);
  // Two of the ten posts of each picture.
  expect(report).toContain('12 test pairs');
  for (const [defence, times] of [
    ['none', 3],
    ['static (Algorithm 1)', 3],
    ['on the fly', 3],
    ['convex hull', 1],
    ['PGD-7', 1],
    ['mixed schedule', 1],
  ] as const)
    expect(report.split(`\n| ${defence} |`)).toHaveLength(times + 1);
  expect(report.match(/FGSM − PGD-10 of the pictures within 8\/255/g)).toHaveLength(2);
});

it('reproduces the rumour tables and the study of unseen events in the quick form', async () => {
  const out = mkdtempSync(join(tmpdir(), 'tocsin-reproduce-'));
  onTestFinished(() => rmSync(out, { recursive: true, force: true }));
  const data = join(out, 'data');
  await writeRumourFolder(data);
  const args = ['reproduce', 'mafn', '--data', data, '--quick', '--out', out];
  const first = await tocsin(args);
  expect(first.code).toBe(0);
  const report = readFileSync(join(out, 'report.md'), 'utf8');
  for (const model of ['majority', 'mafn', 'textual', 'visual', 'mafn-without-affine', 'eann'])
    expect(report).toContain(`| ${model} |`);
  expect(report).toContain('60 test posts of 6 claims');
  expect(report).toContain('mafn − eann: ');
  expect(report).toContain('#### (a) Leave one event out');
  expect(report).toMatch(/\| 5 posts ruled \| test events \| \d/);

  const document = join(out, 'document.md');
  writeFileSync(document, 'before\n<!-- mafn:begin -->old<!-- mafn:end -->\nafter\n');
  const second = await tocsin([...args, '--done-only', '--into', document]);
  expect(second.code).toBe(0);
  const text = readFileSync(document, 'utf8');
  expect(text).toBe(`before\n<!-- mafn:begin -->\n\n${report}\n<!-- mafn:end -->\nafter\n`);
  expect(readFileSync(join(out, 'report.md'), 'utf8')).toBe(report);
});

it('reproduces the rows on Weibo that read no picture, with the paper’s figures beside', async () => {
  const out = mkdtempSync(join(tmpdir(), 'tocsin-reproduce-'));
  onTestFinished(() => rmSync(out, { recursive: true, force: true }));
  const data = join(out, 'data');
  writeWeiboFolder(data);
  // The encoder for Chinese has to be installed; the shipped one stands in.
  const encoder = ['--chinese-encoder', 'minilm-int8'];
  const args = ['reproduce', 'mafn', '--data', data, '--seeds', '2', '--max-epochs', '1', '--out', out];
  const { code } = await tocsin([...args, ...encoder]);
  expect(code).toBe(0);
  const report = readFileSync(join(out, 'report.md'), 'utf8');
  // The post without a text does not count.
  expect(report).toContain('### Weibo, split `official`, at most 1 epochs\n');
  expect(report).toMatch(/19 test posts of 19 claims, 5\d training posts/);
  // Each test post shares its picture with one that trains.
  expect(report).toMatch(/split `official-disjoint`[^#]*19 test posts of 19 claims, 3\d training posts/);
  expect(report).toMatch(/\| textual \| 77\.4 \| 2 \|/);
  expect(report).toMatch(/\| mafn-without-image \| 79\.9 \| 2 \|/);
  expect(report).toMatch(/\| mafn-entity-only \| 54\.9 \| 2 \|/);
  expect(report).toMatch(/mafn-without-image − textual: .* too few of the 5/);

  const refused = await tocsin([...args, '--chinese-encoder', 'bert-base'], {
    TOCSIN_CACHE: join(out, 'empty'),
  });
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('tocsin encoders install bert-base');
});
