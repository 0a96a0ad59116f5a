/**
 * Small programs under test/fixtures run as child processes; without the addon, which processes need to share anything,
 * as worker threads. Every child is killed at the end of its test, so a test that fails leaves none behind; vitest's
 * test timeout is the watchdog.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach } from 'vitest';
import { withAddon } from './needs.js';

/** A running fixture. */
export interface FixtureProcess {
  /** Of a thread: what tests use of it. */
  readonly child: ChildProcess;
  /** The next line of its standard output, or `null` at its end. */
  line(): Promise<string | null>;
  /** How it ended: its exit code, or the signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

const running = new Set<FixtureProcess>();

afterEach(async () => {
  for (const process of running) process.child.kill('SIGKILL');
  await Promise.all([...running].map((process) => process.ended));
  running.clear();
});

/** Starts test/fixtures/<name>; the descriptors become its descriptors 3, 4, …. */
export function startFixture(name: string, options: FixtureOptions = {}): FixtureProcess {
  const path = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
  const fixture = withAddon ? startProcess(path, options) : startThread(path, options);
  running.add(fixture);
  return fixture;
}

interface FixtureOptions {
  readonly args?: readonly (string | number)[];
  readonly fds?: readonly number[];
  readonly env?: Readonly<Record<string, string>>;
}

function startProcess(path: string, options: FixtureOptions): FixtureProcess {
  const child = spawn(process.execPath, [path, ...(options.args ?? []).map(String)], {
    stdio: ['ignore', 'pipe', 'inherit', ...(options.fds ?? [])],
    env: { ...process.env, ...options.env },
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    child,
    line: async () => (await lines.next()).value ?? null,
    ended: once(child, 'close').then(([code, signal]) => (code as number | null) ?? (signal as NodeJS.Signals)),
  };
}

function startThread(path: string, { args = [], fds = [], env }: FixtureOptions): FixtureProcess {
  if (fds.length > 0) throw new Error(`${path} needs descriptors: leave this test out without the addon (needs.ts).`);
  const worker = new Worker(pathToFileURL(path), {
    argv: args.map(String),
    env: { ...process.env, ...env },
    stdout: true,
  });
  const lines = createInterface({ input: worker.stdout })[Symbol.asyncIterator]();
  let killed: NodeJS.Signals | null = null;
  const child = {
    pid: process.pid,
    exitCode: null as number | null,
    signalCode: null as NodeJS.Signals | null,
    kill: (signal: NodeJS.Signals = 'SIGTERM'): boolean => {
      killed ??= signal;
      void worker.terminate();
      return true;
    },
  };
  worker.once('exit', (code) => {
    if (killed === null) child.exitCode = code;
    else child.signalCode = killed;
  });
  return {
    child: child as unknown as ChildProcess,
    line: async () => (await lines.next()).value ?? null,
    ended: once(worker, 'exit').then(([code]) => killed ?? (code as number)),
  };
}
