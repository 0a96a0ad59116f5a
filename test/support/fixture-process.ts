/**
 * Small programs under test/fixtures run as child processes. Every child is killed at the end of its test, so a test
 * that fails leaves none behind; vitest's test timeout is the watchdog.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

/** A running fixture. */
export interface FixtureProcess {
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
export function startFixture(
  name: string,
  options: { args?: readonly (string | number)[]; fds?: readonly number[]; env?: Readonly<Record<string, string>> } = {},
): FixtureProcess {
  const path = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
  const child = spawn(process.execPath, [path, ...(options.args ?? []).map(String)], {
    stdio: ['ignore', 'pipe', 'inherit', ...(options.fds ?? [])],
    env: { ...process.env, ...options.env },
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const fixture: FixtureProcess = {
    child,
    line: async () => (await lines.next()).value ?? null,
    ended: once(child, 'close').then(([code, signal]) => (code as number | null) ?? (signal as NodeJS.Signals)),
  };
  running.add(fixture);
  return fixture;
}
