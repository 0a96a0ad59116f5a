/** examples/producers-consumers: each job is counted once, though a consumer is killed with one; strangers are refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countWords } from '../../examples/text-search/words.js';
import { ExampleProgram, runExample } from '../support/example-program.js';

const at = (name: string): string => `producers-consumers/${name}`;
const FILES = 60;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'producers-consumers-'));
  for (let i = 0; i < FILES; i++) writeFileSync(join(folder, `${i}.md`), `# Text ${i}\n\n${'some words '.repeat(i)}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Words of the first `n` files. */
function wordsOf(n: number): number {
  const texts = Array.from({ length: n }, (_, i) => readFileSync(join(folder, `${i}.md`), 'utf8'));
  return texts.flatMap((text) => [...countWords(text).values()]).reduce((sum, count) => sum + count, 0);
}

describe('producers and consumers', () => {
  it('count each job once, though a consumer is killed that has one', async () => {
    const { stdout, stderr, code } = await runExample(at('main'), [folder]);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const [, back, words] = new RegExp(
      `^${FILES} jobs are done, (\\d+) of them came back once: (\\d+) words$`,
      'm',
    ).exec(stdout)!;
    expect(Number(back)).toBeLessThanOrEqual(1); // it may have handed in its last one just before
    expect(Number(words)).toBe(wordsOf(FILES));
    expect(stdout).toContain('some 1770, words 1770, text 60');
    expect(stdout.match(/^a producer has put 30 jobs$/gm)).toHaveLength(2);
  });

  it('end when a producer is killed: what it had put is done', async () => {
    const env = { DESK_KEY: 'a key' };
    const server = new ExampleProgram(at('server'), [], { env });
    const address = (await server.saying(/at (.+)$/m))[1]!;
    // More files than there is room for, and nobody takes them: it waits in `put`.
    const files = Array.from({ length: FILES }, (_, i) => join(folder, `${i}.md`));
    const producer = new ExampleProgram(at('producer'), [address, ...files], { env });
    await producer.saying(/^puts .*16\.md$/m);
    producer.signal('program', 'SIGKILL');
    await producer.gone();
    const { stdout, stderr } = await runExample(at('consumer'), [address], { env });
    expect(stderr).toBe('');
    expect(stdout).toContain('a consumer has done 16 jobs\n');
    expect(await server.ended).toMatchObject({ code: 0, stderr: '' });
    expect(server.stdout).toContain(`16 jobs are done, 0 of them came back once: ${wordsOf(16)} words\n`);
  });

  it('need the key', async () => {
    const server = new ExampleProgram(at('server'), [], { env: { DESK_KEY: 'a key' } });
    const address = (await server.saying(/at (.+)$/m))[1]!;
    const wrong = await runExample(at('consumer'), [address], { env: { DESK_KEY: 'another' } });
    expect({ code: wrong.code, stderr: wrong.stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('MP_AUTHENTICATION'),
    });
    const none = await runExample(at('consumer'), [address], { env: { DESK_KEY: '' } });
    expect(none.stderr).toContain('the environment variable DESK_KEY has no key: give the same one to all programs');
    server.signal('program', 'SIGKILL');
    await server.gone();
  });
});
