/** What a template is told about the child that it is to fork. */
import { inheritedArguments, inheritedEnvironment } from '../popen/node-arguments.js';
import { inheritedNumber } from './inherited-number.js';
import type { ChildRequest } from './protocol.js';

/** What {@link Forkserver.connectToNewProcess} starts. */
export interface NewProcess {
  /** Module that the child runs. */
  readonly entry: URL;
  /** Name shown by `ps` and in messages. */
  readonly name: string;
  /**
   * What it is given; it finds them from 512 on, or from half of the descriptors that a process may
   * have where these are fewer than 765. They stay yours. Default: none. At most 252.
   */
  readonly descriptors?: readonly number[] | undefined;
  /** Environment. Default: this process's at the moment. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Gives the start up, which rejects. */
  readonly signal?: AbortSignal | undefined;
}

/** What a template has of its own, so that a request names only what differs. */
export interface TemplateProgram {
  readonly env: NodeJS.ProcessEnv;
  readonly argv: readonly string[];
}

/** Returns the request for a child of this process, to a template of that environment. */
export function childRequest({ env, argv }: TemplateProgram, child: NewProcess): ChildRequest {
  return {
    entry: child.entry.href,
    name: child.name,
    parentPid: process.pid,
    cwd: workingFolder(),
    first: inheritedNumber(0),
    env: difference(env, inheritedEnvironment(child.env ?? process.env)),
    execArgv: inheritedArguments(process.execArgv),
    ...(sameWords(process.argv, argv) ? {} : { argv: process.argv }),
  };
}

/** Returns whether two lists have the same texts in the same order. */
export function sameWords(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}

/** `null` where it was removed. */
function workingFolder(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}

/** Returns what must be set, or removed (`null`), to make `from` into `to`. */
function difference(from: NodeJS.ProcessEnv, to: NodeJS.ProcessEnv): Record<string, string | null> {
  const changes: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(to))
    if (value !== undefined && from[name] !== value) changes[name] = String(value);
  for (const name of Object.keys(from)) if (to[name] === undefined) changes[name] = null;
  return changes;
}
