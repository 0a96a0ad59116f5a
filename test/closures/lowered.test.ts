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
    ['mjs', 'cjs'].map((extension) => `${tool}/${name}.${extension}`).filter((file) => existsSync(new URL(file, folder))),
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
