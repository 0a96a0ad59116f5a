/** What nobody has any more is collected, and what it was given with it: no registry, closure, listener or held value keeps it. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { withForks } from '../support/needs.js';

const PROGRAM = fileURLToPath(new URL('../fixtures/lifetime/collected.mjs', import.meta.url));
const IN_THREAD = `new (require('node:worker_threads').Worker)(${JSON.stringify(PROGRAM)})`;

const CASES = [
  ['the main thread', [PROGRAM], 'spawn,thread', undefined],
  ['the main thread, with forks of a template', [PROGRAM], 'forkserver', 'forkserver'],
  ['a worker thread', ['-e', IN_THREAD], 'thread', undefined],
  ['a program that can be forked', ['--single-threaded', '--v8-pool-size=1', PROGRAM], 'fork', 'fork'],
] as const;

it.each(CASES.filter(([, , , only]) => only === undefined || withForks))(
  'what was made and dropped in %s is collected',
  (_, args, METHODS, ONLY) => {
    const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '', METHODS };
    if (ONLY !== undefined) env['ONLY'] = ONLY;
    const { stdout, stderr } = spawnSync(process.execPath, [...args], {
      env,
      encoding: 'utf8',
      timeout: 100_000,
      killSignal: 'SIGKILL',
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({});
  },
  110_000,
);
