/**
 * Starts that the system refuses: nobody else is signalled, and the error names the cause and what
 * helps.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pool, Process, type ProcessOptions } from 'multiprocess';
import { getExecutable, setExecutable } from 'multiprocess/spawn';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { itNeeds, startable } from '../support/needs.js';

const PROGRAM = fileURLToPath(new URL('../fixtures/programs/process/unstartable.js', import.meta.url));

/** Runs the program beside a bystander of its process group, which must outlive it. */
function run(args: string[], limits = ''): Promise<string> {
  return new Promise((resolve) => {
    const group = spawn(
      'sh',
      [
        '-c',
        `sleep 1000 <&- >&- 2>&- & other=$!; (${limits} exec "$0" "$@"); code=$?; kill -0 $other && echo bystander lives; kill $other; echo code $code`,
        process.execPath,
        PROGRAM,
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], detached: true },
    );
    onTestFinished(
      () => void (group.exitCode === null && group.pid !== undefined && process.kill(-group.pid, 'SIGKILL')),
    );
    let out = '';
    group.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    group.once('close', () => resolve(out));
  });
}

const LIVES = 'lives\nbystander lives\ncode 0\n';

describe('a start that fails signals nobody', () => {
  it.each(startable('spawn', 'forkserver'))('%s: Pool.terminate() before it is known, and after', async (method) => {
    expect(await run(['pool', method])).toMatch(new RegExp(`^MP_POOL_TERMINATED .*\n${LIVES}$`));
    const failed = await run(['failed', method]);
    expect(failed).toMatch(
      new RegExp(`^MP_WORKER_CRASH .*"/nonexistent/node" \\(ENOENT\\); name a Node .*\n${LIVES}$`),
    );
    // The message itself, not its cause alone.
    expect(failed).toMatch(
      /PoolWorker-3 could not be started: [^.]* cannot be started by "\/nonexistent\/node" \(ENOENT\)/,
    );
  });

  it('spawn: Process.terminate(), kill() and interrupt()', async () => {
    expect(await run(['process', 'spawn'])).toMatch(
      new RegExp(`^MP_SPAWN .*"/nonexistent/node" \\(ENOENT\\).*\n${LIVES}$`),
    );
  });

  itNeeds('forks')('forkserver: a start that is ended before it is known to fail is given up', async () => {
    expect(await run(['process', 'forkserver'])).toMatch(
      new RegExp(`^<Process name='ForkServerProcess-1' pid=null stopped exitCode=-15>\n${LIVES}$`),
    );
  });

  it.each(startable('spawn', 'forkserver'))('%s: a start without free descriptors fails', async (method) => {
    expect(await run(['many', method], 'ulimit -n 54;')).toBe(`MP_SYSTEM\n${LIVES}`);
  });

  itNeeds('forks')('a template that could not be started can be stopped, and is replaced', async () => {
    expect(await run(['template'])).toBe(`stopped\n${LIVES}`);
  });
});

describe('what the system does not take', () => {
  afterEach(() => setExecutable(null));
  const start = (options: ProcessOptions<[]>) => new Process(() => {}, options).start();

  it('an environment variable that is too long is named', async () => {
    const env = { ...process.env, BULK: 'x'.repeat(200_000) };
    const error: Error = await start({ context: 'spawn', env }).then(Object, (reason) => reason);
    expect(error).toMatchObject({ code: 'MP_SPAWN' });
    expect(error.message).toMatch(
      /environment variable BULK has 200005 bytes .*131071 \(E2BIG\); pass `env` without it/,
    );
    expect(error.message).not.toMatch(/ulimit -u/);
    expect(() => new Pool({ processes: 1, context: 'spawn', env })).toThrow(/environment variable BULK/);
  });

  it('environment variables that are too long together are counted', async () => {
    const env = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`V${i}`, 'x'.repeat(100_000)]));
    await expect(start({ context: 'spawn', env })).rejects.toThrow(
      /101 environment variables and \d+ arguments have 10\d{6} bytes, .*smaller `env`/,
    );
  });

  it('a Node option that is too long is named', async () => {
    await expect(start({ context: 'spawn', execArgv: [`--title=${'x'.repeat(200_000)}`] })).rejects.toThrow(
      /argument "--title=x+…" has 200008 bytes/,
    );
  });

  it.each(startable('spawn', 'forkserver', 'thread'))('%s: a NUL is refused with its place', async (method) => {
    await expect(start({ context: method, env: { A: 'x\0y' } })).rejects.toThrow(
      /environment variable "A" holds a NUL/,
    );
    await expect(start({ context: method, name: 'a\0b' })).rejects.toThrow(/its name holds a NUL/);
    await expect(start({ context: method, execArgv: ['--title=\0'] })).rejects.toMatchObject({
      code: 'MP_INVALID_ARGUMENT',
    });
  });

  it('a NUL in the executable is refused', () => {
    const before = getExecutable();
    expect(() => setExecutable('/usr/bin/no\0de')).toThrow(/setExecutable: .*NUL/);
    expect(() => setExecutable(new URL('https://nodejs.org/node'))).toThrow(/setExecutable/);
    expect(getExecutable()).toBe(before);
  });

  it('an executable that cannot be run is named', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'executable-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'node');
    writeFileSync(file, 'no program', { mode: 0o644 });
    setExecutable(file);
    await expect(start({ context: 'spawn' })).rejects.toThrow(/cannot be started by .*node" \(EACCES\); name a Node/);
    setExecutable(`${file}/deeper`);
    await expect(start({ context: 'spawn' })).rejects.toThrow(/\(ENOTDIR\); name a Node/);
  });
});
