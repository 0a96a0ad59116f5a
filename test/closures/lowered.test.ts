/**
 * What compilers make of classes for older targets: each function gives in a worker what it gives here. The programs are what the tools
 * named in their first lines gave (lowered/compile.mjs); each prints pairs of what a function gave here and there.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const folder = new URL('./lowered/', import.meta.url);
const run = promisify(execFile);

/** What targets that keep #private members cannot do: nothing but their class reads them. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'tsc-es2022/main.mjs': [
    'an instance that is captured',
    'an instance that is sent',
    'the state of an instance',
    'the state of an instance of a subclass',
    'two instances that differ',
    'an accessor',
    'the state of an instance of an imported class',
    'an instance that comes back',
    'an instance of a subclass that comes back',
    'an accessor that comes back',
    'an imported class',
    'an imported subclass',
    'the state of an imported one',
    'a child of an imported one',
  ],
};

const programs = readdirSync(folder).flatMap((tool) =>
  ['main', 'decorated', 'legacy', 'instrumented'].flatMap((name) =>
    ['mjs', 'cjs']
      .map((extension) => `${tool}/${name}.${extension}`)
      .filter((file) => existsSync(new URL(file, folder))),
  ),
);

describe.concurrent('A function gives the same in a worker', () => {
  test.each(programs)('%s', { timeout: 60_000 }, async (file) => {
    const path = fileURLToPath(new URL(file, folder));
    expect(readFileSync(path, 'utf8')).toMatch(/^\/\/ [@\w/-]+ \d+\.\d+\.\d+/);
    const { stdout } = await run(process.execPath, [path], { timeout: 50_000, killSignal: 'SIGKILL' });
    const results = JSON.parse(stdout) as Record<string, readonly [here: unknown, there: unknown]>;
    const refused = REFUSED[file] ?? [];
    for (const [title, [here, there]] of Object.entries(results)) {
      if (refused.includes(title)) expect(there, title).toMatch(/has #private fields/);
      else expect(there, title).toEqual(here);
    }
    expect(Object.keys(results).length).toBeGreaterThanOrEqual(3);
  });
});

describe.concurrent('An import() that a bundler compiled is refused, with what leaves it to Node', () => {
  test.each(['webpack-development', 'webpack-production', 'rspack-development', 'rspack-production'])(
    '%s',
    async (tool) => {
      const path = fileURLToPath(new URL(`${tool}/bundled.mjs`, folder));
      const { stdout } = await run(process.execPath, [path], { timeout: 50_000, killSignal: 'SIGKILL' });
      const refused = {
        code: 'MP_BUNDLED_IMPORT',
        repair: expect.stringContaining('/* webpackIgnore: true */') as string,
      };
      expect(JSON.parse(stdout)).toEqual({
        'a chunk': refused,
        'a builtin': refused,
        'a builtin, left to Node': 'function',
        'a namespace': 3,
      });
    },
  );
});

test('a refused `this` names the debugger that may be attached', async () => {
  const program = `import { dumps } from 'multiprocess/reduction';
    class Scale { factor = 2; send() { return dumps((x) => x * this.factor); } }
    try { new Scale().send(); console.log('sent'); } catch (error) { console.log(error.message); }`;
  const args = ['--input-type=module', '-e', program];
  const options = { cwd: fileURLToPath(folder), timeout: 50_000, killSignal: 'SIGKILL' } as const;
  expect((await run(process.execPath, args, options)).stdout).toBe('sent\n');
  const debugged = await run(process.execPath, ['--inspect=127.0.0.1:0', ...args], options);
  expect(debugged.stdout).toMatch(/debugger may be attached \(--inspect\); take what it needs out first/);
});
