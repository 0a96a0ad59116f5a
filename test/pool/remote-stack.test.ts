/** The stack of an error from a worker points at the user's own lines, then at the call; from JavaScript, TypeScript and bundles. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pool } from 'multiprocess';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const fixtures = fileURLToPath(new URL('../fixtures/stacks/', import.meta.url));
const out = fileURLToPath(new URL('../../.build/stacks/', import.meta.url));
const main = join(fixtures, 'main.ts');

/** `main.ts:23` of the line that carries the remark. */
function line(file: string, remark: string): string {
  const lines = readFileSync(join(fixtures, file), 'utf8').split('\n');
  return `${file}:${lines.findIndex((text) => text.endsWith(`// HERE ${remark}`)) + 1}:`;
}

function run(args: readonly string[]): { stacks: string[]; cause: string; own: unknown } {
  const env = { ...process.env, NODE_NO_WARNINGS: '1', NODE_OPTIONS: '' };
  return JSON.parse(
    execFileSync(process.execPath, args, { env, encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' }),
  );
}

function expectOwnLines({ stacks, cause, own }: ReturnType<typeof run>, callsAreMapped = true): void {
  const [apply, map, imap] = stacks as [string, string, string];
  const [task, call] = apply.split('--- called from ---') as [string, string];
  expect(task).toMatch(/^(AppError|Error): by value\n {4}at /);
  expect(task.split('\n')[1]).toContain(line('main.ts', 'by value'));
  expect(task).not.toContain('worker-loop');
  if (callsAreMapped) expect(call).toContain(line('main.ts', 'apply'));
  expect(call).not.toContain('/pool/');
  expect(map.split('\n')[1]).toContain(line('thrower.ts', 'by reference'));
  expect(map.split('\n')[2]).toContain(line('main.ts', 'map'));
  expect(map).toContain('--- called from ---');
  expect(imap.split('\n')[1]).toContain(line('main.ts', 'by value'));
  expect(cause).toContain('main.ts:');
  expect(stacks.join()).not.toContain('#compiled');
  expect(own).toEqual([true, 1, true]);
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const stripsTypes = major > 22 || (major === 22 && minor >= 18);

describe('Stacks point at the lines of the source', () => {
  test('under tsx', () => expectOwnLines(run(['--import', 'tsx', main])));

  test.runIf(stripsTypes)('with the types stripped by Node', () => expectOwnLines(run([main])));

  for (const sourcemap of ['inline', 'external', 'linked'] as const) {
    test(`in a bundle with ${sourcemap} source map, without --enable-source-maps`, () => {
      mkdirSync(out, { recursive: true });
      const outfile = join(out, `${sourcemap}.mjs`);
      // The program, since the service behind the API stays.
      const flags = [
        '--bundle',
        '--packages=external',
        '--format=esm',
        '--platform=node',
        `--sourcemap=${sourcemap}`,
        `--outfile=${outfile}`,
      ];
      execFileSync(fileURLToPath(import.meta.resolve('esbuild/bin/esbuild')), [main, ...flags, '--log-level=error']);
      // An external map is one that the file does not name, so nothing can find it.
      if (sourcemap === 'external') expect(run([outfile]).stacks[0]).toContain('external.mjs:');
      else expectOwnLines(run([outfile]));
    });
  }

  test('in a bundle under --enable-source-maps', () =>
    expectOwnLines(run(['--enable-source-maps', join(out, 'linked.mjs')])));

  test('also when the error ends the program', () => {
    const program = `import { Pool } from 'multiprocess'; const pool = new Pool({ processes: 1 });
      async function start() { await pool.apply(() => { throw new Error('ends'); }); }
      try { await start(); } finally { await pool.terminate(); }`;
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    expect(stderr).toMatch(/Error: ends\n.*\[eval1\].*\n.*--- called from ---\n.*at start .*\[eval1\]/);
  });
});

describe('Under the test runner', () => {
  let pool: Pool;
  beforeAll(() => {
    pool = new Pool({ processes: 1 });
  });
  afterAll(() => pool.terminate());

  async function caller(task: () => unknown): Promise<Error> {
    return (await pool.apply(task).catch((error: unknown) => error)) as Error;
  }

  test('the stack names the task and the caller', async () => {
    const error = await caller(function failingTask() {
      throw new Error('x');
    });
    const [task, call] = error.stack!.split('--- called from ---');
    expect(task).toContain('failingTask');
    expect(call).toContain('caller');
  });

  test('a value that is no error, and an error without a stack, stay what they are', async () => {
    expect(await caller(() => Promise.reject('text'))).toBe('text');
    const bare = await caller(() => {
      const error = new Error('bare');
      Object.defineProperty(error, 'stack', { value: undefined });
      throw error;
    });
    expect(bare.stack).toBeUndefined();
  });

  test('an error that holds what cannot be sent keeps its class, its other fields and its cause', async () => {
    class HttpError extends Error {
      readonly status = 500;
      readonly request = new net.Socket();
    }
    const error = await caller(() => {
      throw new HttpError('failed', {
        cause: Object.assign(new RangeError('inner'), { pending: Promise.resolve(1), code: 'E_INNER' }),
      });
    });
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ message: 'failed', status: 500, request: expect.stringContaining('Socket') });
    expect(error.cause).toBeInstanceOf(RangeError);
    expect(error.cause).toMatchObject({
      message: 'inner',
      code: 'E_INNER',
      pending: expect.stringContaining('Promise'),
    });
    expect(error.stack).toContain('remote-stack.test.ts');
  });

  test('a frozen error arrives as it was', async () => {
    const error = await caller(() => {
      throw Object.freeze(new Error('frozen'));
    });
    expect(error).toBeInstanceOf(Error);
    expect(Object.isFrozen(error)).toBe(true);
  });

  test('a burst of calls rejects each with its own error, of which the first at least name their caller', async () => {
    const all = await Promise.all(
      Array.from({ length: 2_000 }, (_, i) =>
        pool
          .apply(
            (n: number) => {
              throw new Error(`n ${n}`);
            },
            [i],
          )
          .catch((error: Error) => error),
      ),
    );
    expect(all.every((error, i) => (error as Error).message === `n ${i}`)).toBe(true);
    expect(all.filter((error) => (error as Error).stack!.includes('called from')).length).toBeGreaterThan(0);
  });
});
