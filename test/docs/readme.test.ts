/** The samples of README.md, each run as a program of its own, as a reader would. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
// Inside of the package, so that it finds itself by its name.
const folder = join(root, '.build', `readme-${process.pid}`);

const samples = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code!);

/** What a sample has in it, and what it prints. */
const expected: readonly (readonly [has: string, prints: RegExp])[] = [
  ['pool.imapUnordered(', /^(photos\/[123]\.png by 0\.5\n){3}$/],
  ['currentTask', /^(page \d+\n)+100\n$/],
  ['runExclusive', /^1000 Float64Array\(16\) \[\s+31248,/],
  ['Listener.listen', /^42\nMap\(1\) \{ 'any' => 'value' \}\n$/],
  ['new Process(', /^counter \d+ 0 12\n$/],
  ['setForkserverPreload', /^\[ 2, 4, 6 \]\n$/],
  ['new ThreadPool(', /^\[ 1, 4, 9 \]\n$/],
  [
    'm.dict(',
    /^\{ type: 'state', entries: \[ \[ 'apples', 3 \] \], missed: 0 \}\n\{ type: 'set', key: 'pears', value: 5 \}\nMap\(2\) \{ 'apples' => 3, 'pears' => 5 \}\n$/,
  ],
  ['new Queue(', /^(\d+ has file \d\n)*\[ \d+, \d+ \]\n(\d+ has file \d\n)*$/],
];

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  cpSync(fileURLToPath(new URL('../fixtures/readme', import.meta.url)), folder, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('README.md', () => {
  it('has no sample that is not run here', () => {
    expect(samples.filter((code) => !expected.some(([has]) => code.includes(has)))).toEqual([]);
  });

  for (const [has, prints] of expected) {
    it(`has a sample of ${has.replace(/\($/, '')} that does what it says`, async () => {
      const found = samples.filter((code) => code.includes(has));
      expect(found).toHaveLength(1);
      const file = join(folder, `${has.replace(/\W/g, '')}.mjs`);
      writeFileSync(file, found[0]!);
      const child = spawn(process.execPath, [file], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE_OPTIONS: '' },
      });
      const ended = once(child, 'close');
      const [out, problems] = await Promise.all([text(child.stdout), text(child.stderr)]);
      const [code] = await ended;
      expect({ problems, code }).toEqual({ problems: '', code: 0 });
      expect(out).toMatch(prints);
    });
  }
});
