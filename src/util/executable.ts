/** The program that runs children, and what it needs to be a Node. */
import { createRequire } from 'node:module';
import { UnsupportedError } from '../errors/usage.js';
import { RUN_AS_NODE, STARTING } from './starting.js';

let path: string | undefined;

/** The program that runs spawned children. Default: the one that runs this process. */
export function executable(): string {
  return path ?? process.execPath;
}

/** Sets {@link executable}; `undefined` restores the default. */
export function replaceExecutable(program: string | undefined): void {
  path = program;
}

/**
 * Why {@link executable} would run this program again in place of a child's; `null` when it is a
 * Node.
 */
export function unusableExecutable(): string | null {
  if (path !== undefined) return null;
  packed ??= packer();
  if (packed === '') return null;
  return (
    `this program is ${packed}, whose file would run the program once more and not a child: ` +
    "name a Node that is installed by setExecutable(path), or use start method 'thread' (ThreadPool)"
  );
}

/**
 * The Node that runs what this library needs for itself: this process's own.
 * @throws UnsupportedError where that is none.
 */
export function ownExecutable(actor: string): string {
  const unusable = unusableExecutable();
  if (unusable !== null) throw new UnsupportedError(`${actor} cannot be started: ${unusable}.`);
  return packed === undefined || packed === '' ? process.execPath : executable();
}

/**
 * The environment of a process that the library starts: `env`, marked as that of a child that has
 * not begun. Electron's file is a Node where a variable says so; a child takes both marks off
 * again.
 */
export function startingEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const electron = process.versions['electron'] !== undefined && env[RUN_AS_NODE] === undefined;
  return electron ? { ...env, [STARTING]: RUN_AS_NODE, [RUN_AS_NODE]: '1' } : { ...env, [STARTING]: '1' };
}

/** What {@link packer} said, once it was asked. */
let packed: string | undefined;

interface Packed {
  readonly pkg?: unknown;
  readonly __nexe?: unknown;
}

/**
 * How this program and its Node were made one file, as messages call it; empty when they were not.
 */
function packer(): string {
  if (isSingleExecutable()) return 'a single executable application';
  const { pkg, __nexe } = process as Packed;
  if (pkg !== undefined) return 'an executable made by pkg';
  if (__nexe !== undefined) return 'an executable made by nexe';
  const { Bun, Deno } = globalThis as { Bun?: { main?: string }; Deno?: { build?: { standalone?: boolean } } };
  if (Bun?.main?.startsWith('/$bunfs/') === true) return 'an executable made by bun build --compile';
  return Deno?.build?.standalone === true ? 'an executable made by deno compile' : '';
}

function isSingleExecutable(): boolean {
  try {
    return (createRequire(import.meta.url)('node:sea') as { isSea(): boolean }).isSea();
  } catch {
    return false; // This Node knows of none.
  }
}
