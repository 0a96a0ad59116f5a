/**
 * A built example as a user runs it: a program with arguments, two output streams and an exit code.
 * Every process it starts inherits a mark in its environment, so that what it leaves behind can be found.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class ExampleProgram {
  readonly #mark = `EXAMPLE_TEST_MARK=${randomUUID()}`;
  readonly #watchers = new Set<() => void>();
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  /** Runs a built example by its name, such as `board/main`, in a process group of its own, which ends with the test at the latest. */
  constructor(
    name: string,
    line: readonly string[] = [],
    options: { readonly node?: string; readonly env?: NodeJS.ProcessEnv } = {},
  ) {
    const file = fileURLToPath(new URL(`../../.build/examples/${name}.js`, import.meta.url));
    const [key, value] = this.#mark.split('=') as [string, string];
    this.child = spawn(options.node ?? process.execPath, [file, ...line], {
      detached: true, // a process group of its own, for Ctrl-C
      env: { ...process.env, NODE_OPTIONS: '', ...options.env, [key]: value },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      for (const watch of this.#watchers) watch();
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      for (const watch of this.#watchers) watch();
    });
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => resolve({ stdout: this.stdout, stderr: this.stderr, code, signal }));
    });
    onTestFinished(async () => {
      if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  /** Sends a signal to the program alone, or to its group as a terminal does on Ctrl-C. */
  signal(whom: 'program' | 'group', signal: NodeJS.Signals = 'SIGINT'): void {
    process.kill(whom === 'group' ? -this.child.pid! : this.child.pid!, signal);
  }

  /** Resolves with what matches `pattern`, once either stream has it. Rejects when the program ended without it. */
  saying(pattern: RegExp): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const watch = (): void => {
        const found = this.stdout.match(pattern) ?? this.stderr.match(pattern);
        if (found === null) return;
        this.#watchers.delete(watch);
        resolve(found);
      };
      this.#watchers.add(watch);
      watch();
      void this.ended.then((end) => reject(new Error(`ended without saying ${pattern}: ${JSON.stringify(end)}`)));
    });
  }

  /** The processes that carry the mark now. */
  processes(): string[] {
    return readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid)) return false;
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(this.#mark);
      } catch {
        return false; // ended, or not ours to see
      }
    });
  }

  /** Polls until no process carries the mark; the test's own time limit is the watchdog. */
  async gone(): Promise<void> {
    while (this.processes().length > 0) await new Promise((done) => setTimeout(done, 10));
  }
}

/** Runs an example to its end, and waits until all of its processes have ended. */
export async function runExample(
  name: string,
  ...options: ConstructorParameters<typeof ExampleProgram> extends [string, ...infer O] ? O : never
): Promise<Ended> {
  const example = new ExampleProgram(name, ...options);
  const ended = await example.ended;
  await example.gone();
  return ended;
}

const NEWEST = fileURLToPath(new URL('../../.build/newest/node_modules/node/bin/node', import.meta.url));

/** A Node of at least this version: the one that runs the tests, else the newest, which `.ci/run` installs; else `null`. */
export function nodeFrom(major: number, minor: number): string | null {
  const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number) as [number, number];
  if (ourMajor > major || (ourMajor === major && ourMinor >= minor)) return process.execPath;
  return existsSync(NEWEST) ? NEWEST : null;
}
