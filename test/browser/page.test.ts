/** The built page in a real browser against the real server: labels, upgrades, restart, keyboard, hostile texts, access. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import chromium from '@sparticuz/chromium';
import { type Browser, type Page, chromium as playwright } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Ruling } from '../../src/event/records.ts';
import {
  alert,
  type Bench,
  claim,
  codec,
  label,
  openBench,
  put,
  scored,
  setLedger,
  until,
} from '../support/dashboard.ts';
import { drawPicture, floodScene } from '../support/scene.ts';

const AXE = fileURLToPath(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url));

let browser: Browser;
/** The page as it is built from these very sources. */
const ui = mkdtempSync(join(tmpdir(), 'tocsin-page-'));
beforeAll(async () => {
  const configFile = fileURLToPath(new URL('../../src/dashboard/ui/vite.config.ts', import.meta.url));
  await build({ configFile, logLevel: 'warn', build: { outDir: ui } });
  // Not the package's own flags: they switch the web's security off, which is just what is tested here.
  browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    headless: true,
  });
});
afterAll(async () => {
  await browser.close();
  rmSync(ui, { recursive: true, force: true });
});

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(): Promise<Bench> {
  const bench = await openBench({ uiDir: ui });
  cleanups.push(() => bench.close());
  return bench;
}

/** A page with everything that went wrong in it. */
interface Watched {
  readonly page: Page;
  readonly wrong: string[];
}

async function visit(url: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  cleanups.push(() => page.close());
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (said) => {
    if (said.type() === 'error' && !/ERR_CONNECTION_REFUSED|WebSocket connection/.test(said.text()))
      wrong.push(`console: ${said.text()}`);
  });
  await page.addInitScript(`
    globalThis.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => {
      violations.push(event.violatedDirective + ' ' + event.blockedURI);
    });
  `);
  await page.goto(url);
  return { page, wrong };
}

// What runs in the page is given as text: the types of a browser have no place among those of a service.
const inPage = <T>(page: Page, expression: string): Promise<T> => page.evaluate(expression) as Promise<T>;
const violations = (page: Page): Promise<string[]> => inPage(page, 'violations');
const mode = (page: Page): Promise<string | null> => page.getAttribute('.mode', 'data-mode');
const cards = (page: Page): Promise<string[]> =>
  page.$$eval('.card', (all) => all.map((card) => card.getAttribute('data-post') ?? ''));
const texts = (page: Page, selector: string): Promise<string[]> =>
  page.$$eval(selector, (all) =>
    all.map((element) => element.textContent?.trim().replace(/\s+/g, ' ') ?? ''),
  );

describe('the page', () => {
  it('shows labels as they come, upgrades them in place, and keeps the books in sight', async () => {
    const bench = await open();
    setLedger(bench.bus, {
      received: 1_234,
      labelled: 1_200,
      duplicate: 34,
      picturesRequested: 9,
      picturesReady: 8,
    });
    const picture = await drawPicture(bench.media, 'm0', 200);
    const pending = { ...picture, outcome: 'pending', storeKey: null, thumbhash: null } as const;
    await put(bench.bus, [label('first', { pictures: [pending] })]);
    const { page, wrong } = await visit(bench.url);
    await page.waitForSelector('[data-post=first]');
    await put(bench.bus, [label('second', { text: 'Puente cerrado', language: 'es' })]);
    await page.waitForSelector('[data-post=second]');
    expect(await cards(page)).toEqual(['second', 'first']);
    expect(await texts(page, '[data-post=first] .chip')).toEqual(['Picture on the way']);
    expect((await texts(page, '[data-post=second]'))[0]).toContain('Informative');
    expect(await page.getAttribute('[data-post=second] .text', 'lang')).toBe('es');

    await put(bench.bus, [
      label('first', { revision: 2, pictures: [picture], modalities: ['text', 'image'] }),
    ]);
    await page.waitForSelector('[data-post=first][data-revision="2"]');
    expect(await cards(page)).toEqual(['second', 'first']);
    await page.waitForSelector('[data-post=first] .picture img');
    await until('the preview', () =>
      inPage<boolean>(page, "document.querySelector('[data-post=first] .picture img').naturalWidth > 0"),
    );
    expect(await page.getAttribute('[data-post=first] .picture', 'aria-pressed')).toBe('false');
    await page.click('[data-post=first] .picture');
    await page.waitForSelector('[data-post=first] .picture[aria-pressed=true]');
    expect(await page.$('dialog')).toBeNull();

    await page.waitForSelector('.balance-good');
    expect((await texts(page, '.books')).join(' ')).toMatch(/Received 1,234 Labelled 1,200/);
    await until('the mode', async () => (await mode(page)) === 'live');

    await page.reload();
    await page.waitForSelector('[data-post=first][data-revision="2"]');
    expect(await cards(page)).toEqual(['second', 'first']);
    expect([wrong, await violations(page)]).toEqual([[], []]);
  });

  it('comes back by itself after the server restarts, with what was missed and nothing twice', async () => {
    const bench = await open();
    await put(bench.bus, [label('before')]);
    const { page, wrong } = await visit(bench.url);
    await page.waitForSelector('[data-post=before]');
    await bench.dashboard.close();
    await until('the page to notice', async () => (await mode(page)) === 'disconnected');
    expect((await texts(page, '.as-of'))[0]).toMatch(/^As of \d\d:\d\d:\d\d/);
    await put(bench.bus, [label('meanwhile')]);
    const again = await bench.reopen();
    cleanups.push(() => again.close());
    await page.waitForSelector('[data-post=meanwhile]');
    await until('the mode', async () => (await mode(page)) === 'live');
    await put(bench.bus, [label('after')]);
    await page.waitForSelector('[data-post=after]');
    expect(await cards(page)).toEqual(['after', 'meanwhile', 'before']);
    expect([wrong, await violations(page)]).toEqual([[], []]);
  });

  it('never moves what is being read, and tells what waits', async () => {
    const bench = await open();
    await put(
      bench.bus,
      Array.from({ length: 40 }, (_, i) => label(`old-${i}`)),
    );
    const { page } = await visit(bench.url);
    await page.waitForSelector('.card');
    await inPage(page, 'window.scrollTo(0, 900)');
    const before = await cards(page);
    await put(bench.bus, [label('new-1'), label('new-2')]);
    await page.waitForSelector('.pill');
    expect((await texts(page, '.pill'))[0]).toBe('2 new');
    expect(await cards(page)).toEqual(before);
    await page.click('.pill');
    await page.waitForSelector('[data-post=new-2]');
    expect(await inPage(page, 'window.scrollY')).toBe(0);

    await page.keyboard.press('Space');
    await until('the pause', async () => (await mode(page)) === 'paused');
    await put(bench.bus, [label('new-3')]);
    await until('the count', async () => (await texts(page, '.mode strong'))[0] === 'Paused +1');
    expect(await page.$('[data-post=new-3]')).toBeNull();
    await page.keyboard.press('Space');
    await page.waitForSelector('[data-post=new-3]');
  });

  it('can be used by keyboard alone', async () => {
    const bench = await open();
    const two = [label('a', { tasks: [{ ...label('a').tasks[0], evidence: ['few_known_words'] } as never] })];
    await put(bench.bus, [...two, label('a', { revision: 2, modalities: ['text'] })], { timestamp: 1 });
    await put(bench.bus, [label('b')], { timestamp: 2 });
    const { page, wrong } = await visit(bench.url);
    await page.waitForSelector('[data-post=a]');
    const focused = (): Promise<string | null | undefined> =>
      inPage(page, "document.activeElement?.closest('[data-post]')?.getAttribute('data-post')");
    await page.keyboard.press('j');
    expect(await focused()).toBe('b');
    await page.keyboard.press('j');
    expect(await focused()).toBe('a');
    await page.keyboard.press('k');
    await page.keyboard.press('PageDown');
    expect(await focused()).toBe('a');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open] .revision');
    expect(await texts(page, '.revision-number')).toEqual(['Revision 2', 'Revision 1']);
    expect((await texts(page, 'dialog')).join(' ')).toContain('mmn 1.0.0');
    await page.keyboard.press('Escape');
    await until('the drawer to close', async () => (await page.$('dialog')) === null);
    expect(await focused()).toBe('a');
    await page.keyboard.press('?');
    await page.waitForSelector('dialog.help[open]');
    await page.keyboard.press('Escape');
    await until('the help to close', async () => (await page.$('dialog')) === null);
    await page.keyboard.press('/');
    await page.keyboard.type('Post b');
    await until('the filter', async () => (await cards(page)).join() === 'b');
    expect(new URL(page.url()).searchParams.get('q')).toBe('Post b');
    expect(wrong).toEqual([]);
  });

  it('sends rulings and takes them back', async () => {
    const bench = await open();
    await put(bench.bus, [claim('c1', { posts: 9 }), alert('a1'), label('a')]);
    const { page } = await visit(bench.url);
    await page.waitForSelector('[data-claim=c1]');
    expect((await texts(page, '[data-claim=c1]'))[0]).toContain('No rumour score');
    expect((await texts(page, '.alert'))[0]).toContain('grows faster than usual');
    await page.click('[data-claim=c1] .rule-false');
    await page.waitForSelector('[data-claim=c1] .ruled-false');
    await page.click('[data-claim=c1] .link-button');
    await page.waitForSelector('[data-claim=c1] .rule-false');
    const rulings = bench.bus
      .records('crisis.evidence.v1')
      .map((record) => codec.decode(record.value as Uint8Array) as Ruling);
    expect(rulings.map((r) => [r.claimId, r.ruling])).toEqual([
      ['c1', 'false'],
      ['c1', 'false'],
    ]);
    expect(rulings[1]?.undoes).toBe(rulings[0]?.id);
  });

  it('says calmly how a claim is scored: no number beside unsure, and why in words', async () => {
    const bench = await open();
    const model = { name: 'mafn-rumour', version: 's1-abc', sha256: 'a'.repeat(64) };
    const rumour = {
      status: 'scored',
      probability: 0.61,
      decision: 'unsure',
      evidence: ['contents:3', 'from:text'],
      model,
    } as const;
    await put(bench.bus, [
      claim('c1', { posts: 9, rumour }),
      claim('c2', { posts: 8, rumour: { ...rumour, probability: 0.93, decision: 'yes' } }),
      claim('c3', {
        posts: 7,
        rumour: { ...rumour, status: 'not_scored', probability: null, evidence: ['pending'] },
      }),
    ]);
    const { page } = await visit(bench.url);
    await page.waitForSelector('[data-claim=c3]');
    const chips = await texts(page, '.rumour .chip');
    expect(chips).toEqual([
      'Rumour? Not enough evidence',
      'Written like a rumour, 93 %',
      'Rumour score pending',
    ]);
    await page.click('[data-claim=c1] .rumour-reasons summary');
    const why = (await texts(page, '[data-claim=c1] .rumour-reasons'))[0];
    for (const words of [
      'Only text was read',
      '3 different texts or pictures',
      'chance of a rumour: 61 %',
      'mafn-rumour s1-abc',
    ])
      expect(why).toContain(words);
    expect((await texts(page, '.claims > .hint'))[0]).toContain('not whether it is true');
  });

  it('says what an answer stands on: text, picture, or both by their share', async () => {
    const bench = await open();
    const [ready, refused] = [
      { id: 'm1', outcome: 'ready', reason: null, storeKey: null, thumbhash: null },
      { id: 'm1', outcome: 'refused', reason: 'too_large', storeKey: null, thumbhash: null },
    ] as const;
    const both = { ...scored(0.9, 'yes', ['text_share:73']), byModality: { text: 0.8, image: 0.5 } };
    await put(bench.bus, [
      label('a', { tasks: [both], modalities: ['text', 'image'], pictures: [ready] }),
      label('b'),
      label('c', { pictures: [refused] }),
    ]);
    const { page, wrong } = await visit(bench.url);
    const told = async (id: string): Promise<string> => {
      await page.click(`[data-post=${id}] .text`);
      await page.waitForSelector('dialog[open] .revision');
      const [words] = await texts(page, 'dialog .revision');
      expect(await violations(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await until('the drawer to close', async () => (await page.$('dialog')) === null);
      return words as string;
    };
    const shared = await told('a');
    expect(shared).toContain('The text weighs 73 %, the picture 27 %');
    expect(shared).toMatch(/Each by itself\s*Text\s*80 %\s*Picture\s*50 %/);
    const plain = await told('b');
    expect(plain).toContain('Only the text was read: the post has no picture.');
    expect(plain).not.toContain('Each by itself');
    expect(await told('c')).toContain('Only the text was read: its picture could not be used.');
    expect(wrong).toEqual([]);
  });

  it('says over its whole width that a sample or a replay is not live', async () => {
    const bench = await open();
    await put(bench.bus, [label('s', { synthetic: true })], { replayId: 'sample-flood' });
    const { page } = await visit(bench.url);
    await page.waitForSelector('.band');
    expect((await texts(page, '.band'))[0]).toMatch(/^SAMPLE .*Not live\. sample-flood$/);
    expect(await mode(page)).toBe('sample');
    expect(await page.title()).toContain('not live');
    const box = await page.locator('.band').boundingBox();
    expect(box?.width).toBe(1280);
  });
});

describe('a hostile text', () => {
  const payloads = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '"><svg/onload=alert(1)>',
    '<iframe src="javascript:alert(1)"></iframe>',
    '{{constructor.constructor("alert(1)")()}}',
    `\${alert(1)}`,
    '<a href="javascript:alert(1)">x</a>',
    '<style>*{display:none}</style><base href="https://evil.example/">',
    '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
    '--><!--<img src=https://evil.example/x.png>',
    '<template><img src=x onerror=alert(1)></template>',
    "';alert(1)//\u0000\u202e\u2028</textarea>",
    '<lit-html?lit$123$><!--?lit$1$-->',
  ];

  it('is shown as text everywhere, runs nothing, loads nothing, breaks no rule', async () => {
    const bench = await open();
    await put(
      bench.bus,
      payloads.map((text, i) =>
        label(`x${i}${i === 0 ? text : ''}`, {
          text,
          collection: text.slice(0, 60),
          language: i % 2 ? 'en' : text,
          flags: [text],
        }),
      ),
    );
    await put(bench.bus, [
      claim('c', { headline: payloads[1] as string, collection: payloads[2] as string }),
      alert('a', { summary: payloads[3] as string, rule: payloads[0] as string }),
    ]);
    const requests: string[] = [];
    const { page, wrong } = await visit('about:blank');
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(bench.url);
    await until('all cards', async () => (await cards(page)).length === payloads.length);
    expect((await texts(page, '.card .text')).sort()).toEqual(
      payloads.map((text) => text.replace(/\s+/g, ' ').trim()).sort(),
    );
    expect((await texts(page, '.headline'))[0]).toBe(payloads[1]);
    expect(
      await page.$$('.card script, .card iframe, .card svg[onload], .card a, .card style, .card base'),
    ).toEqual([]);
    for (const index of [0, 1, 3]) {
      await page.click(`.card >> nth=${index}`);
      await page.waitForSelector('dialog[open] .revision');
      await page.keyboard.press('Escape');
      await until('the drawer to close', async () => (await page.$('dialog')) === null);
    }
    expect(requests.filter((url) => !url.startsWith(bench.url) && !url.startsWith('ws://127.0.0.1'))).toEqual(
      [],
    );
    expect([wrong, await violations(page)]).toEqual([[], []]);
  });

  it('would be stopped by the policy even if it became markup', async () => {
    const bench = await open();
    const { page } = await visit(bench.url);
    await page.waitForSelector('.status');
    const outcome = await inPage(
      page,
      `(() => {
        try {
          document.body.innerHTML = '<img src=x onerror=alert(1)>';
          return 'markup was taken';
        } catch (error) {
          return error.name;
        }
      })()`,
    );
    expect(outcome).toBe('TypeError');
  });
});

describe('access', () => {
  it.each(['light', 'dark'] as const)(
    'has nothing for axe to say in %s, nor with the drawer open',
    async (colorScheme) => {
      const bench = await open();
      setLedger(bench.bus, {
        received: 20,
        labelled: 18,
        dead: 2,
        picturesRequested: 9,
        picturesReady: 5,
        picturesRefused: 2,
      });
      const scene = await floodScene(bench.media, 24, Date.now());
      await put(bench.bus, [...scene.labels, ...scene.claims, ...scene.alerts]);
      // The policy of the page would not let axe in; what it looks at is the same.
      const { page } = await visit(bench.url, { colorScheme, bypassCSP: true });
      await page.waitForSelector('[data-claim]');
      await until('the mode', async () => (await mode(page)) === 'live');
      await page.addScriptTag({ path: AXE });
      const check = (): Promise<string[]> =>
        inPage(
          page,
          `axe.run().then(({ violations }) => violations.flatMap((violation) =>
          violation.nodes.map((node) => violation.id + ': ' + node.html.slice(0, 160) + ' ' + node.failureSummary)))`,
        );
      expect(await check()).toEqual([]);
      await page.click('.card >> nth=3');
      await page.waitForSelector('dialog[open] .revision');
      expect(await check()).toEqual([]);
    },
  );

  it.each([320, 360, 768])('fits into %i px without sideways scrolling', async (width) => {
    const bench = await open();
    const scene = await floodScene(bench.media, 12, Date.now());
    await put(bench.bus, [
      ...scene.labels,
      ...scene.claims,
      ...scene.alerts,
      label('w'.repeat(200), { text: 'W'.repeat(300) }),
    ]);
    const { page } = await visit(bench.url, { viewport: { width, height: 700 } });
    await page.waitForSelector('.card');
    await inPage(page, "for (const details of document.querySelectorAll('details')) details.open = true");
    expect(await inPage<number>(page, 'document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  });
});
