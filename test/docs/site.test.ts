/** The site that `npm run docs` builds: nothing in it is undocumented or without an example, and its search finds what is asked for. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { guides } from '../../scripts/guides.js';
import { browserCommand, openBrowser, openPage } from '../support/browser.js';
import { root } from '../support/samples.js';

const site = join(root, '.build', `site-${process.pid}`);

interface Row {
  readonly name: string;
  readonly parent?: string;
  readonly url: string;
}

/** What a page has found, most wanted first: the page shows the first ten. */
interface Search {
  readonly rows: readonly Row[];
  search(query: string): { ref: string }[];
}

/** The index that the pages load, by typedoc's own engine. */
function openSearch(): Search {
  const lunr = createRequire(createRequire(import.meta.url).resolve('typedoc'))('lunr');
  const [, data] = /"([^"]+)"/.exec(readFileSync(join(site, 'assets/search.js'), 'utf8'))!;
  const { rows, index } = JSON.parse(inflateSync(Buffer.from(data!, 'base64')).toString());
  const opened = lunr.Index.load(index);
  return { rows, search: (query) => opened.search(query) };
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** Serves the site until the test ends. Returns its address. */
async function serve(): Promise<string> {
  const server = createServer(({ url }, response) => {
    // Browsers ask for one of themselves.
    if (url === '/favicon.ico') return void response.writeHead(204).end();
    const file = join(site, new URL(url!, 'http://localhost').pathname);
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
    createReadStream(file)
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the site', () => {
  let search: Search;

  /** What is found for a word, as the page asks for it. */
  const found = (word: string): Row[] => search.search(`*${word}*`).map(({ ref }) => search.rows[Number(ref)]!);

  beforeAll(async () => {
    // The build has checked the types. Whatever else is wrong, typedoc says and fails.
    const options = ['--out', site, '--skipErrorChecking'];
    await promisify(execFile)(join(root, 'node_modules/.bin/typedoc'), options, { cwd: root });
    search = openSearch();
  }, 300_000);
  afterAll(() => rmSync(site, { recursive: true, force: true }));

  it('finds what a guide says', () => {
    expect(found('highWaterMark').map(({ name }) => name)).toContain('Streams and backpressure');
    expect(found('piscina').map(({ url }) => url)).toContain('documents/At_a_glance.html');
  });

  it('finds each guide by the words of its title', () => {
    for (const { title } of guides()) {
      for (const word of title!.match(/[\p{L}\d]{4,}/gu) ?? [])
        expect(found(word).map(({ name }) => name)).toContain(title);
    }
  });

  it('finds names of the interface', () => {
    for (const name of ['Pool', 'imapUnordered', 'SharedMemoryManager', 'setForkserverPreload', 'concatMapPull'])
      expect(found(name).map((row) => row.name)).toContain(name);
  });

  it('finds each error code, where it is explained', () => {
    const codes = readFileSync(join(root, 'docs/guides/error-codes.md'), 'utf8').match(/\bMP_[A-Z_]+\b/g)!;
    expect(codes.length).toBeGreaterThan(100);
    for (const code of new Set(codes)) expect(found(code).map(({ name }) => name)).toContain('Error codes');
  });

  it.skipIf(browserCommand === null)('has pages on which one searches by typing', async () => {
    const browser = await openBrowser();
    const { page, problems } = await openPage(browser, `${await serve()}/index.html`);
    for (const [typed, leads] of [
      ['backpress', 'Streams_and_backpressure.html'],
      ['imapUnordered', 'imapunordered'],
      ['MP_STREAM_OVERFLOW', 'Error_codes.html'],
    ] as const) {
      await page.keyboard.press('/');
      await page.waitForSelector('#tsd-search[open]');
      await page.type('#tsd-search-input', typed);
      const result = `#tsd-search-results a[href*="${leads}"]`;
      await page.waitForSelector(result);
      await page.evaluate(`document.querySelector(${JSON.stringify(result)}).click()`);
      // The address changes before the page is there.
      await page.waitForFunction(
        `location.href.includes(${JSON.stringify(leads)}) && document.readyState === 'complete'`,
      );
      expect(await page.$eval('main, .col-content', (element) => element.textContent)).toMatch(new RegExp(typed, 'i'));
    }
    expect(problems).toEqual([]);
  });
});
