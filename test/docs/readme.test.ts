/** The samples of README.md, each run as a program of its own, as a reader would. */
import { afterAll, describe, expect, it } from 'vitest';
import { fencesOf, Workbench } from '../support/samples.js';

const samples = fencesOf('README.md');
const bench = new Workbench('readme');
const fixtures = new URL('../fixtures/readme', import.meta.url);

/** What a sample has in it, and what it prints. */
const expected: readonly (readonly [has: string, prints: RegExp])[] = [
  ['pool.imapUnordered(', /^(photos\/[123]\.png by 0\.5\n){3}$/],
  ['concurrency: 16', /^a 1\nb 2\na 3\n$/],
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

afterAll(() => bench.remove());

describe('README.md', () => {
  it('has no sample that is not run here', () => {
    expect(samples.filter(({ code }) => !expected.some(([has]) => code.includes(has)))).toEqual([]);
  });

  for (const [has, prints] of expected) {
    it(`has a sample of ${has.replace(/\($/, '')} that does what it says`, async () => {
      const found = samples.filter(({ code }) => code.includes(has));
      expect(found).toHaveLength(1);
      const { code, stderr, stdout } = await bench.run(found[0]!, fixtures);
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
      expect(stdout).toMatch(prints);
    });
  }
});
