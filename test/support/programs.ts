/** Runs the small programs under test/fixtures/programs as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { threads } from './start-method.js';

const WITH_THREADS = fileURLToPath(new URL('../fixtures/programs/with-threads.mjs', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly child: ChildProcess;
  /** Resolves with the first line of its output that `matches`. Rejects when it ended without one. */
  line(matches: RegExp): Promise<RegExpMatchArray>;
  /** Resolves when it has ended and its output is complete. */
  readonly ended: Promise<Ended>;
}

/** Starts `name` (below test/fixtures/programs) in a process group of its own, which ends with the test at the latest. */
export function program(
  name: string,
  args: readonly string[] = [],
  options: { node?: string[]; env?: NodeJS.ProcessEnv } = {},
): Program {
  const file = fileURLToPath(new URL(`../fixtures/programs/${name}`, import.meta.url));
  const child = spawn(
    process.execPath,
    [...(threads ? ['--import', WITH_THREADS] : []), ...(options.node ?? []), file, ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, NODE_OPTIONS: '', ...options.env },
    },
  );
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const watch of watchers) watch();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const line = (matches: RegExp) =>
    new Promise<RegExpMatchArray>((resolve, reject) => {
      const watch = () => {
        const found = stdout.match(matches);
        if (found === null) return;
        watchers.delete(watch);
        resolve(found);
      };
      watchers.add(watch);
      watch();
      void ended.then((end) => reject(new Error(`${name} ended without ${matches}: ${JSON.stringify(end)}`)));
    });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  return { child, line, ended };
}
