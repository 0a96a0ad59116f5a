/**
 * The session of the thread's own inspector, which answers `post` before it returns. Values come
 * back as themselves, not as copies: the inspector calls a function with them that puts them into a
 * holder of ours.
 *
 * Invariant. The session is connected while a question is asked; from a message's second question
 * until the message is written; after a burst of questions until the synchronous stretch ends; and
 * never longer: with one there V8 keeps the arguments of the last 1,000 calls of console.log, each
 * of which takes three times as long.
 */

import type * as inspector from 'node:inspector';
import { createRequire } from 'node:module';
import vm from 'node:vm';
import { inspectorUnavailable } from '../messages.js';

/** A value as the inspector names it. */
export interface RemoteObject {
  readonly objectId?: string;
  readonly value?: unknown;
  /** Of a number or bigint that JSON has no text for. */
  readonly unserializableValue?: string;
}

/** Of the objects of a session's questions, which are released together. */
const GROUP = 'multiprocess';
/** Where the holder stands in a world while a question is asked. */
export const HOLDER = Symbol.for('multiprocess.inspector.holder');

let session: inspector.Session | undefined;
/** Questions being asked. */
let asking = 0;
/** Whether a message is being written, which may ask again soon. */
let kept = false;
/** Sessions that this message has had. */
let sessionsOfMessage = 0;

/** A message begins: its first question has a session of its own, the second one's serves the rest. */
export function keepSession(): void {
  kept = true;
  sessionsOfMessage = 0;
}

/** Ends {@link keepSession}. */
export function endSession(): void {
  kept = false;
  if (asking === 0) release();
}

/**
 * Sessions of one synchronous stretch from which on the session stays until that ends: a new one
 * costs as much as a third of a look.
 */
const BURST = 8;
/** Sessions of this stretch. */
let sessions = 0;
/** Whether the session has outlived a question: code of the program may have run meanwhile. */
let outlived = false;
/** Looks since the last time that their objects were released. */
let looks = 0;
/** So many looks of one session hold their objects until then: a release costs a fifth of a look. */
const LOOKS_A_RELEASE = 64;

function release(): void {
  if (session === undefined) return;
  if (sessions++ === 0) void Promise.resolve().then(endStretch);
  const isFirst = !kept || sessionsOfMessage++ === 0;
  if (isFirst && sessions < BURST) {
    disconnect();
    return;
  }
  outlived = true;
  if (looks < LOOKS_A_RELEASE) return;
  looks = 0;
  post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
}

function endStretch(): void {
  sessions = 0;
  if (asking === 0 && !kept) disconnect();
}

/** What it named goes with it. */
function disconnect(): void {
  if (session === undefined) return;
  // V8 keeps what was logged meanwhile (by a getter, in a burst) beyond the session. A client that
  // is attached may want it.
  if (outlived && inspectorURL() === undefined) post('Runtime.discardConsoleEntries');
  session.disconnect();
  session = undefined;
  outlived = false;
  looks = 0;
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
    if (--asking === 0) release();
  }
}

function connect(actor: string): inspector.Session {
  try {
    const fresh = new (load().Session)();
    fresh.connect();
    answers ??= answersAtOnce(fresh);
    if (answers) return fresh;
    fresh.disconnect();
  } catch (cause) {
    throw inspectorUnavailable(actor, cause);
  }
  throw inspectorUnavailable(actor, new Error('The inspector does not answer before `post` returns.'));
}

/** Whether the inspector is one as Node's: Bun's evaluates nothing, Deno's answers later. */
let answers: boolean | undefined;

function answersAtOnce(fresh: inspector.Session): boolean {
  let answered = false;
  fresh.post('Runtime.evaluate', { expression: '0' }, (error) => {
    answered = error === null;
  });
  return answered;
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

let mainWorld: Record<symbol, unknown> | undefined;
const HELD = `globalThis[Symbol.for('${String(HOLDER.description)}')]`;

/**
 * Runs `body` while a holder object stands in the main context, by which values come back as
 * themselves. The inspector evaluates there, which is not our context inside a test runner's vm.
 */
export function withHolder<T>(holder: { value?: object; out: unknown[] }, body: () => T): T {
  mainWorld ??= vm.runInThisContext('globalThis') as Record<symbol, unknown>;
  Object.defineProperty(mainWorld, HOLDER, { value: holder, configurable: true });
  try {
    return body();
  } finally {
    delete mainWorld[HOLDER];
    looks++;
  }
}

/** The remote id of the value that is held. */
export function heldValue(): string {
  return post<{ result: RemoteObject }>('Runtime.evaluate', { expression: `${HELD}.value`, objectGroup: GROUP }).result
    .objectId!;
}

/** Puts the values behind remote objects into the holder; `objectId` is that of the value it holds. */
export function fetchInto(objectId: string, objects: readonly (RemoteObject | undefined)[]): void {
  post('Runtime.callFunctionOn', {
    objectId,
    functionDeclaration: `function (...values) { ${HELD}.out = values }`,
    arguments: objects.map((object) =>
      object?.objectId !== undefined ? { objectId: object.objectId } : argument(object),
    ),
  });
}

/** Primitives travel by value, the odd ones as text. */
function argument(object: RemoteObject | undefined): object {
  const text = object?.unserializableValue;
  return text !== undefined ? { unserializableValue: text } : { value: object?.value };
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
