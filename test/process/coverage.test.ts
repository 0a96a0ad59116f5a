/** NODE_V8_COVERAGE: what children ran is written, however they end. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startable } from '../support/needs.js';
import { program } from '../support/programs.js';

interface Report {
  readonly result: readonly {
    url: string;
    functions: readonly { functionName: string; ranges: readonly { count: number }[] }[];
  }[];
}

/** How often the function was called in processes other than the program, as their reports say. */
function calls(folder: string, main: string): number {
  let count = 0;
  for (const file of readdirSync(folder)) {
    if (file.startsWith(`coverage-${main}-`)) continue;
    const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Report;
    for (const { functions } of result.filter(({ url }) => url.endsWith('/covered-task.js'))) {
      for (const { functionName, ranges } of functions) if (functionName === 'covered') count += ranges[0]!.count;
    }
  }
  return count;
}

const cases = startable('spawn', 'forkserver', 'fork').flatMap((method) =>
  ['terminate', 'join', 'natural', 'exit', 'process', 'daemon'].map((how) => [method, how] as const),
);

it.each(cases)('%s, %s', async (method, how) => {
  const folder = mkdtempSync(join(tmpdir(), 'coverage-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const node = method === 'fork' ? ['--single-threaded', '--v8-pool-size=1'] : [];
  const { stdout, stderr, code } = await program('process/covered.js', [method, how], {
    node,
    env: { NODE_V8_COVERAGE: folder },
  }).ended;
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  expect(calls(folder, stdout.trim())).toBeGreaterThan(0);
});
