/** Runs all cases of a fixture in processes of their own. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { deserialize } from 'node:v8';
import { compileLibrary } from './compiled.js';

/** What became of one case. */
export interface Outcome {
  readonly title: string;
  readonly expected: unknown;
  /** Result in a child process, of a second crossing, and of rebuilding in the sender itself. */
  readonly child: unknown;
  readonly again: unknown;
  readonly here: unknown;
  readonly flags?: { readonly stateless?: boolean; readonly constant?: boolean };
  readonly refused?: Failure & { readonly name: string; readonly path?: string };
  readonly error?: Failure;
  readonly againError?: Failure;
}

interface Failure {
  readonly code?: string;
  readonly message: string;
  readonly stack: string;
}

/** Runs `fixtures/<name>` and returns its outcomes. */
export function runFixture(
  name: string,
  execArgv: readonly string[] = [],
): { entries: Outcome[]; loadedParser: boolean } {
  const sender = fileURLToPath(new URL('./sender.mjs', import.meta.url));
  const fixture = new URL(`../fixtures/${name}`, import.meta.url).href;
  const env = { ...process.env, NODE_NO_WARNINGS: '1', NODE_OPTIONS: '' };
  const child = spawnSync(process.execPath, [...execArgv, sender, compileLibrary(), fixture], {
    env,
    maxBuffer: 1 << 28,
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  if (child.status !== 0)
    throw new Error(`${name}: the sender ended with ${child.status ?? child.signal}.\n${child.stderr}`);
  return deserialize(child.stdout) as { entries: Outcome[]; loadedParser: boolean };
}
