/**
 * Who this process (or worker thread) is to the library. Kept on globalThis, so that every copy of
 * the package in a process agrees.
 */
import { threadId } from 'node:worker_threads';
import { isStarting } from '../util/starting.js';
import type { AuthenticationKey } from './authentication-key.js';

/** Who started this process. */
export interface Parent {
  readonly name: string;
  readonly pid: number;
  /** Clock ticks since boot at which it was started, as text; with the pid it names it for good. */
  readonly startTime: string | null;
  /** Node's id of the thread that started it, for a thread. */
  readonly threadId: number | null;
}

/** A process, as it sees itself. */
export interface Identity {
  name: string;
  daemon: boolean;
  /** Made when it is first asked for. */
  authkey: AuthenticationKey | null;
  /** `1:2` is the second child of the first child of the main process, which has an empty path. */
  readonly path: string;
  parent: Parent | null;
  /** The program's main file; `undefined` until it is asked for in the main process. */
  main?: string | null;
  /** Children made so far. */
  children: number;
  /** The object that stands for it: a subclass's instance in a child that runs one. */
  self: object | null;
}

const IDENTITY = Symbol.for('multiprocess.identity');
const scope = globalThis as { [IDENTITY]?: Identity };

/** This process. */
export function identity(): Identity {
  scope[IDENTITY] ??= {
    name: isStarting() ? 'Starting' : 'MainProcess',
    daemon: false,
    authkey: null,
    path: '',
    parent: null,
    children: 0,
    self: null,
  };
  return scope[IDENTITY];
}

/** Makes this process a child with an identity of its own. */
export function become(child: Identity): void {
  scope[IDENTITY] = child;
}

/**
 * Returns the path of the next child. Python counts objects as they are made, not children as they
 * are started.
 */
export function nextPath(): string {
  const self = identity();
  const number = String(++self.children);
  return self.path === '' ? number : `${self.path}:${number}`;
}

/** Returns what names this process or thread. */
export function ownIdent(): number {
  return threadId === 0 ? process.pid : threadId;
}
