/** examples/reactive-page: jobs of many clients, cancelled and crashed ones, and the page in a browser. */
import axe from 'axe-core';
import type { Page } from 'puppeteer-core';
import { describe, expect, it } from 'vitest';
import { drawTile, tilesOf } from '../../examples/reactive-page/mandelbrot.js';
import { PICTURE, type TileMessage, type WorkersMessage } from '../../examples/reactive-page/messages.js';
import { browserCommand, openBrowser, openPage } from '../support/browser.js';
import { ExampleProgram } from '../support/example-program.js';

const TILES = 150;

/** Starts the server on a free port. It ends with the test. */
async function serve(processes = 2): Promise<{ url: string; server: ExampleProgram }> {
  const server = new ExampleProgram('reactive-page/main', ['--port', '0', '--processes', String(processes)]);
  return { url: (await server.saying(/^open (\S+)$/m))[1]!, server };
}

async function stop(server: ExampleProgram): Promise<void> {
  server.signal('group');
  expect(await server.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  await server.gone();
}

/** The events of a stream, until it ends or is left. */
async function* events(url: string): AsyncGenerator<{ name: string; data: any }> {
  const leave = new AbortController();
  try {
    const response = await fetch(url, { signal: leave.signal });
    if (response.status !== 200) throw new Error(`${url}: ${await response.text()}`);
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end))!;
        text = text.slice(end + 2);
        yield { name: name!, data: JSON.parse(data!) };
      }
    }
  } finally {
    leave.abort();
  }
}

/** The first state of the pool that is as it should. */
async function workers(url: string, as: (state: WorkersMessage) => boolean): Promise<WorkersMessage> {
  for await (const { data } of events(`${url}/workers`)) if (as(data)) return data;
  throw new Error('the stream of the workers ended');
}

const idle = ({ workers, rate }: WorkersMessage): boolean => rate === 0 && workers.every(({ busy }) => busy === 0);

describe('the server of the reactive page', () => {
  it('draws the picture of one process', async () => {
    const { url, server } = await serve();
    const drawn = new Map<string, string>();
    let end: unknown;
    for await (const { name, data } of events(`${url}/picture?place=whole&detail=low`)) {
      if (name === 'end') end = data;
      else drawn.set(`${data.x} ${data.y}`, (data as TileMessage).pixels);
    }
    expect(end).toEqual({ seconds: expect.any(Number), workers: expect.any(Number) });
    expect(drawn.size).toBe(TILES);
    for (const tile of tilesOf(PICTURE)) {
      const { pixels } = drawTile({ place: 'whole', detail: 'low' }, tile);
      expect(drawn.get(`${tile.x} ${tile.y}`)).toBe(Buffer.from(pixels).toString('base64'));
    }
    await stop(server);
  });

  it('serves fifty clients at once, each with its own job and a view of the workers', {
    timeout: 120_000,
  }, async () => {
    const { url, server } = await serve();
    const finished = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const watched = workers(url, ({ watching }) => watching >= 50);
        const tiles = new Set<string>();
        for await (const { name, data } of events(`${url}/picture?place=whole&detail=low`)) {
          if (name === 'tile') tiles.add(`${data.x} ${data.y}`);
        }
        await watched;
        return tiles.size;
      }),
    );
    expect(finished).toEqual(Array(50).fill(TILES));
    // Nobody is left of them.
    await workers(url, ({ watching }) => watching === 1);
    await stop(server);
  });

  it('stops the workers when a client goes away', async () => {
    const { url, server } = await serve();
    for await (const { data } of events(`${url}/picture?place=seahorses&detail=high`)) if (data.done === 3) break;
    const { workers: after } = await workers(url, idle);
    expect(after.reduce((sum, { done }) => sum + done, 0)).toBeLessThan(TILES);
    await stop(server);
  });

  it('forgets a client that goes away before its turn', async () => {
    const { url, server } = await serve(1);
    const first = events(`${url}/picture?place=seahorses&detail=high`);
    await first.next();
    // It has asked, and gone, before a tile of its own was done.
    const leaves = new AbortController();
    const asked = await fetch(`${url}/picture?place=seahorses&detail=high`, { signal: leaves.signal });
    expect(asked.status).toBe(200);
    leaves.abort();
    await first.return(undefined);
    await workers(url, idle);
    await stop(server);
  });

  it('draws each tile, though workers are killed', async () => {
    const { url, server } = await serve();
    const victim = (await workers(url, ({ workers }) => workers.some(({ state }) => state === 'ready'))).workers[0]!
      .pid!;
    const lost = workers(url, (state) => state.events.some((event) => event.includes('was lost (SIGKILL)')));
    const tiles = new Set<string>();
    for await (const { name, data } of events(`${url}/picture?place=seahorses&detail=medium`)) {
      if (name === 'tile') tiles.add(`${data.x} ${data.y}`);
      if (tiles.size === 10 && name === 'tile') process.kill(victim, 'SIGKILL');
    }
    expect(tiles.size).toBe(TILES);
    expect((await lost).events.join()).toContain('its tile goes to another');
    await stop(server);
  });

  it('refuses what is no place and no detail', async () => {
    const { url, server } = await serve();
    expect((await fetch(`${url}/picture?place=nowhere&detail=low`)).status).toBe(400);
    expect((await fetch(`${url}/picture?place=whole`)).status).toBe(400);
    await stop(server);
  });
});

describe.skipIf(browserCommand === null)('the reactive page', () => {
  // What runs on the page is text: the types of the tests are Node's.
  const text = (page: Page, selector: string) => page.evaluate(`document.querySelector('${selector}').textContent`);
  const until = (page: Page, condition: string) => page.waitForFunction(condition);
  const status = (page: Page, pattern: RegExp) =>
    until(page, `${pattern}.test(document.querySelector('#status').textContent)`);
  const focused = (page: Page) => page.evaluate('document.activeElement.id');
  const pixel = (page: Page, x: number, y: number) =>
    page.evaluate(`[...document.querySelector('#picture').getContext('2d').getImageData(${x}, ${y}, 1, 1).data]`);
  const WORKERS_ARE_SHOWN = "document.querySelectorAll('#workers li').length > 0";

  it('shows a job as it goes, and its picture', { timeout: 120_000 }, async () => {
    const { url, server } = await serve();
    const browser = await openBrowser();
    const { page, problems } = await openPage(browser, url);
    await page.select('#place', 'whole');
    await page.click('#start');
    await until(page, "document.querySelector('#progress').value >= 10");
    // Tiles are there while others are not: the middle comes first.
    expect(await pixel(page, PICTURE.width / 2 + 5, PICTURE.height / 2)).toEqual([11, 13, 26, 255]);
    await status(page, /^Done in \d+\.\d seconds by [12] workers?\.$/);
    expect(await text(page, '#percent')).toBe('100 %');
    const any = expect.any(Number);
    expect(await pixel(page, 2, 2)).toEqual([any, any, any, 255]);
    await until(page, "/^\\d+ tiles$/.test(document.querySelector('#workers li span:last-of-type').textContent)");
    await until(page, "Number(document.querySelector('#most').textContent) > 0");
    expect(await text(page, '#events')).toContain('is ready');
    expect(problems).toEqual([]);
    await browser.close();
    await stop(server);
  });

  it('is used by keys: start, cancel, start again', { timeout: 120_000 }, async () => {
    const { url, server } = await serve();
    const browser = await openBrowser();
    const { page, problems } = await openPage(browser, url);
    const order: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      await page.keyboard.press('Tab');
      order.push(await focused(page));
    }
    expect(order).toEqual(['place', 'detail', 'start']);
    await page.select('#detail', 'high');
    for (const key of ['Enter', 'Escape'] as const) {
      await page.keyboard.press('Enter'); // starts
      await status(page, /^The job has started/);
      expect(await focused(page)).toBe('cancel');
      await page.keyboard.press(key);
      await status(page, /^Cancelled at \d+ %\.$/);
      expect(await focused(page)).toBe('start');
    }
    await workers(url, idle);
    await page.select('#detail', 'low');
    await page.keyboard.press('Enter');
    await status(page, /^Done in/);
    expect(problems).toEqual([]);
    await browser.close();
    await stop(server);
  });

  it('says that the server is away, and comes back with it', { timeout: 120_000 }, async () => {
    const { url, server } = await serve();
    const browser = await openBrowser();
    const { page } = await openPage(browser, url);
    await page.select('#detail', 'high');
    await page.click('#start');
    await until(page, WORKERS_ARE_SHOWN);
    await stop(server);
    await status(page, /^The connection is lost\. Start again\.$/);
    await until(page, "document.querySelector('#summary').textContent.startsWith('The server is away')");
    const again = new ExampleProgram('reactive-page/main', ['--port', new URL(url).port]);
    await until(page, "document.querySelector('#summary').textContent.includes('are ready')");
    await browser.close();
    await stop(again);
  });

  it.each([
    ['a desk', 'light', { width: 1280, height: 900 }],
    ['a phone', 'dark', { width: 390, height: 844, isMobile: true, hasTouch: true }],
  ] as const)('has no fault that axe knows, and fits, on %s, %s', { timeout: 120_000 }, async (_, scheme, viewport) => {
    const { url, server } = await serve();
    const browser = await openBrowser();
    const { page } = await openPage(browser, url);
    await page.setViewport(viewport);
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await until(page, WORKERS_ARE_SHOWN);
    await page.evaluate(axe.source);
    const faults = async (): Promise<string[]> =>
      page.evaluate(async () => {
        const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      });
    expect(await faults()).toEqual([]);
    await page.click('#start');
    await status(page, /^\d+ % are drawn\.$/);
    expect(await faults()).toEqual([]);
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(overflow).toBe(0);
    await browser.close();
    await stop(server);
  });
});
