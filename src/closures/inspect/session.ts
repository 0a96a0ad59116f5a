/**
 * The session of the thread's own inspector, which answers `post` before it returns. Values come
 * back as themselves, not as copies: the inspector calls a function with them that puts them into a
 * holder of ours.
 *
 * Invariant. The session is connected while a question is asked or a message is written; after a
 * burst of them until the synchronous stretch ends, and never longer: with one there V8 keeps the
 * arguments of the last 1,000 calls of console.log, each of which takes three times as long.
 */

import type * as inspector from 'node:inspector';
import { createRequire } from 'node:module';
import vm from 'node:vm';
import { inspectorUnavailable } from '../messages.js';

/** A value as the inspector names it. */
export interface RemoteObject {
  readonly objectId?: string;
  readonly value?: unknown;
}

/** Of the objects of one question, which are released together. */
export const GROUP = 'multiprocess';
/** Where the holder stands in a world while a question is asked. */
export const HOLDER = Symbol.for('multiprocess.inspector.holder');

let session: inspector.Session | undefined;
/** Questions being asked. */
let asking = 0;
/** Whether a message is being written, which may ask again soon. */
let kept = false;

/** A message begins: the session that its first question connects serves all of them. */
export function keepSession(): void {
  kept = true;
}

/** Ends {@link keepSession}. */
export function endSession(): void {
  kept = false;
  if (asking === 0) release();
}

/**
 * Sessions of one synchronous stretch from which on the session stays until that ends: a new one
 * costs as much as half a look.
 */
const BURST = 8;
/** Sessions of this stretch. */
let sessions = 0;

function release(): void {
  if (session === undefined) return;
  if (sessions++ === 0) void Promise.resolve().then(endStretch);
  if (sessions < BURST) disconnect();
}

function endStretch(): void {
  sessions = 0;
  if (asking === 0 && !kept) disconnect();
}

function disconnect(): void {
  if (session === undefined) return;
  // V8 keeps what was logged meanwhile (by a getter, in a burst) beyond the session. A client that
  // is attached may want it.
  if (inspectorURL() === undefined) post('Runtime.discardConsoleEntries');
  session.disconnect();
  session = undefined;
}

/** Where an inspector listens in this thread. */
function inspectorURL(): string | undefined {
  return load().url();
}

let loaded: typeof inspector | undefined;

function load(): typeof inspector {
  loaded ??= createRequire(import.meta.url)('node:inspector') as typeof inspector;
  return loaded;
}

/** Runs `body` with a connected session. @throws SerializationError `MP_INSPECTOR_UNAVAILABLE`. */
export function withSession<T>(actor: string, body: () => T): T {
  asking++;
  try {
    session ??= connect(actor);
    return body();
  } finally {
    if (--asking === 0 && !kept) release();
  }
}

function connect(actor: string): inspector.Session {
  try {
    const fresh = new (load().Session)();
    fresh.connect();
    return fresh;
  } catch (cause) {
    throw inspectorUnavailable(actor, cause);
  }
}

/** Asks the inspector, inside {@link withSession}. */
export function post<T>(method: string, params: object = {}): T {
  let failure: Error | null = null;
  let answer: unknown;
  session!.post(method, params, (error: Error | null, result?: object) => {
    failure = error;
    answer = result;
  });
  if (failure !== null) throw failure;
  return answer as T;
}

/**
 * Runs `body` with the remote id of a holder object, by which values come back as themselves. The
 * inspector evaluates in the main context, which is not ours inside a test runner's vm.
 */
export function withHolder<T>(holder: { fn?: Function; value?: object; out: unknown[] }, body: (holderId: string) => T): T {
  const world = vm.runInThisContext('globalThis') as Record<symbol, unknown>;
  Object.defineProperty(world, HOLDER, { value: holder, configurable: true });
  try {
    const expression = `globalThis[Symbol.for('${String(HOLDER.description)}')]`;
    return body(post<{ result: RemoteObject }>('Runtime.evaluate', { expression, objectGroup: GROUP }).result.objectId!);
  } finally {
    delete world[HOLDER];
    post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
  }
}

/** Listens to an event of the session. Returns what ends that. */
export function listen(event: string, listener: (message: never) => void): () => void {
  const listened = session!;
  listened.on(event, listener as never);
  return () => void listened.removeListener(event, listener as never);
}

/** Whether another client of the inspector may be attached: it listens. */
export function mayBeDebugged(): boolean {
  return inspectorURL() !== undefined;
}
