/**
 * What only V8 knows of a function: its captured scopes, where it was written, what it binds or proxies.
 *
 * A session of the thread's own inspector answers `post` before it returns. Values come back as themselves, not as
 * copies: the inspector calls a function with them that puts them into a holder of ours.
 *
 * Invariants. The session is connected while a question is asked or a message is written; after a burst of them until the synchronous stretch
 * ends, and never longer: with one there V8 keeps the arguments of the last 1,000 calls of console.log, each of which takes three times as long. The Debugger
 * domain is enabled only inside {@link harvestScripts} and {@link runningFrames}, which are synchronous. While it is on, await
 * costs ten times as much and `eval` two hundred times.
 */

import type * as inspector from 'node:inspector';
import { createRequire } from 'node:module';
import vm from 'node:vm';
import { inspectorUnavailable } from '../messages.js';

/** One captured scope, innermost first. `object` is V8's snapshot of its names. */
export interface CapturedScope {
  /** `Block (f)`, `Closure (f)`, `Module`, `Script`, `Global`, `With Block`, `Catch`. */
  readonly type: string;
  readonly object: Record<string, unknown>;
}

/** What the inspector shows of a function. */
export interface Mirror {
  readonly location: { readonly scriptId: string; readonly line: number; readonly column: number } | null;
  readonly scopes: readonly CapturedScope[];
  /** Private static fields of a class, with their `#`. */
  readonly privates: ReadonlyMap<string, unknown>;
  readonly bound: { readonly target: Function; readonly receiver: unknown; readonly args: readonly unknown[] } | null;
  readonly proxy: { readonly target: object; readonly handler: object | null } | null;
}

/** A script as the Debugger domain describes it. */
export interface HarvestedScript {
  readonly scriptId: string;
  /** The name that its host gave it, or the one it gives itself (`//# sourceURL=`) where the host gave none. */
  readonly url: string;
  /** Numbers of its first line and of that line's first column: not 0 where the host gave them. */
  readonly firstLine: number;
  readonly firstColumn: number;
  /** `null` when it was not asked for. */
  readonly source: string | null;
}

interface RemoteObject {
  readonly objectId?: string;
  readonly value?: unknown;
}

interface Property {
  readonly name: string;
  readonly value?: RemoteObject;
}

interface Properties {
  readonly internalProperties?: readonly Property[];
  readonly privateProperties?: readonly Property[];
}

const GROUP = 'multiprocess';
const HOLDER = Symbol.for('multiprocess.inspector.holder');

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

/** Sessions of one synchronous stretch from which on the session stays until that ends: a new one costs as much as half a look. */
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
  // V8 keeps what was logged meanwhile (by a getter, in a burst) beyond the session. A client that is attached may want it.
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
function withSession<T>(actor: string, body: () => T): T {
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

function post<T>(method: string, params: object = {}): T {
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
 * Runs `body` with the remote id of a holder object, by which values come back as themselves. The inspector evaluates in
 * the main context, which is not ours inside a test runner's vm.
 */
function withHolder<T>(holder: { fn?: Function; out: unknown[] }, body: (holderId: string) => T): T {
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

/** Puts the values behind remote objects into the holder. */
function fetchInto(holderId: string, objects: readonly (RemoteObject | undefined)[]): void {
  post('Runtime.callFunctionOn', {
    objectId: holderId,
    functionDeclaration: 'function (...values) { this.out = values }',
    arguments: objects.map((object) => (object?.objectId !== undefined ? { objectId: object.objectId } : argument(object))),
  });
}

/** Looks at a function. @throws SerializationError `MP_INSPECTOR_UNAVAILABLE`. */
export function mirror(fn: Function, actor: string): Mirror {
  return withSession(actor, () => look(fn));
}

function look(fn: Function): Mirror {
  const holder: { fn: Function; out: unknown[] } = { fn, out: [] };
  return withHolder(holder, (holderId) => {
    const mirrored = post<{ result: RemoteObject }>('Runtime.callFunctionOn', {
      objectId: holderId,
      functionDeclaration: 'function () { return this.fn }',
      objectGroup: GROUP,
    });
    const { internalProperties = [], privateProperties = [] } = post<Properties>('Runtime.getProperties', {
      objectId: mirrored.result.objectId,
      ownProperties: true,
    });
    const internal = (name: string) => internalProperties.find((property) => property.name === name)?.value;
    fetchInto(
      holderId,
      ['[[Scopes]]', '[[TargetFunction]]', '[[BoundThis]]', '[[BoundArgs]]', '[[Target]]', '[[Handler]]']
        .map(internal)
        .concat(privateProperties.map(({ value }) => value)),
    );
    const location = internal('[[FunctionLocation]]')?.value as { scriptId: string; lineNumber: number; columnNumber: number } | undefined;
    const [scopes, bound, receiver, args, target, handler, ...privates] = holder.out;
    return {
      location: location === undefined ? null : { scriptId: location.scriptId, line: location.lineNumber, column: location.columnNumber },
      scopes: scopes === undefined ? [] : readScopes(scopes),
      privates: new Map(privateProperties.map(({ name }, index) => [name, privates[index]])),
      bound: typeof bound === 'function' ? { target: bound, receiver, args: list(args) } : null,
      proxy: isObject(target) ? { target, handler: isObject(handler) ? handler : null } : null,
    };
  });
}

/** Primitives travel by value, the odd ones as text. */
function argument(object: RemoteObject | undefined): object {
  const text = (object as { unserializableValue?: string } | undefined)?.unserializableValue;
  return text !== undefined ? { unserializableValue: text } : { value: object?.value };
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** V8's lists have no prototype. */
function list(value: unknown): unknown[] {
  return Array.prototype.slice.call(value ?? []) as unknown[];
}

function readScopes(value: unknown): CapturedScope[] {
  return list(value).map((entry) => {
    const { description, object } = entry as { description: string; object: Record<string, unknown> };
    return { type: description, object };
  });
}

/** A running function: where its parameters start, and its `this`. */
export interface RunningFrame {
  readonly scriptId: string;
  readonly line: number;
  readonly column: number;
  readonly receiver: unknown;
}

interface CallFrame {
  readonly functionLocation?: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber: number };
  readonly this: RemoteObject;
}

/**
 * The functions on the stack with their `this`, innermost first: the debugger pauses inside this very call, reports and
 * goes on. Empty while another inspector client is attached, which would take the pause for its own.
 */
export function runningFrames(actor: string): RunningFrame[] {
  return withSession(actor, pauseHere);
}

/** Whether another client of the inspector may be attached: it listens. */
export function mayBeDebugged(): boolean {
  return inspectorURL() !== undefined;
}

function pauseHere(): RunningFrame[] {
  if (mayBeDebugged()) return [];
  const frames: RunningFrame[] = [];
  const listener = ({ params }: { params: { callFrames: CallFrame[] } }): void => {
    frames.push(...readFrames(params.callFrames));
  };
  session!.once('Debugger.paused', listener as never);
  try {
    post('Debugger.enable');
    post('Debugger.pause');
    // The pause comes at the next statement that V8 runs.
    pausePoint();
  } finally {
    session!.removeListener('Debugger.paused', listener as never);
    post('Debugger.disable');
  }
  return frames;
}

function pausePoint(): boolean {
  return session !== undefined;
}

/** Each receiver is handed over in its own context, since a test runner's vm has another than the main one. */
function readFrames(callFrames: readonly CallFrame[]): RunningFrame[] {
  const holder: { out: unknown[] } = { out: [] };
  const own = globalThis as unknown as Record<symbol, unknown>;
  withHolder(holder, () => {
    const foreign = own[HOLDER] === undefined;
    if (foreign) Object.defineProperty(own, HOLDER, { value: holder, configurable: true });
    try {
      callFrames.forEach((frame, index) => {
        if (frame.this.objectId === undefined) return;
        const functionDeclaration = `function (i) { const to = globalThis[Symbol.for('${String(HOLDER.description)}')]; if (to) to.out[i] = this; }`;
        post('Runtime.callFunctionOn', { objectId: frame.this.objectId, functionDeclaration, arguments: [{ value: index }] });
      });
    } finally {
      if (foreign) delete own[HOLDER];
    }
  });
  return callFrames.flatMap(({ functionLocation: at }, index) =>
    at === undefined ? [] : [{ scriptId: at.scriptId, line: at.lineNumber, column: at.columnNumber, receiver: holder.out[index] }],
  );
}

/** A function on the stack. */
export interface StackFrame {
  readonly scriptId: string;
  readonly url: string;
}

/**
 * The functions that run now, innermost first. An error that is thrown in an expression of ours carries them, with the numbers
 * of their scripts, which no call site of Node 20 has.
 */
export function framesWithScripts(actor: string, most: number): readonly StackFrame[] {
  return withSession(actor, () => {
    post('Runtime.enable');
    try {
      post('Runtime.setMaxCallStackSizeToCapture', { size: most });
      const { exceptionDetails } = post<{ exceptionDetails?: { stackTrace?: { callFrames: StackFrame[] } } }>('Runtime.evaluate', {
        expression: 'throw null',
        silent: true,
      });
      return exceptionDetails?.stackTrace?.callFrames ?? [];
    } finally {
      post('Runtime.disable');
    }
  });
}

interface ParsedScript {
  readonly scriptId: string;
  readonly url: string;
  readonly embedderName?: string;
  readonly startLine: number;
  readonly startColumn: number;
  readonly scriptLanguage?: string;
}

/** A script without its source. */
export type ListedScript = Omit<HarvestedScript, 'source'>;

/** Every script of JavaScript that V8 holds now, with the sources of those that are wanted. `choose` is given all of them and says which. */
export function harvestScripts(
  actor: string,
  choose: (listed: readonly ListedScript[]) => (script: ListedScript) => boolean,
): HarvestedScript[] {
  return withSession(actor, () => harvest(choose));
}

function harvest(choose: Parameters<typeof harvestScripts>[1]): HarvestedScript[] {
  const found: ListedScript[] = [];
  const listener = ({ params }: { params: ParsedScript }): void => {
    const { scriptId, url, embedderName, startLine, startColumn, scriptLanguage } = params;
    if (scriptLanguage === 'WebAssembly') return;
    found.push({ scriptId, url: embedderName || url, firstLine: startLine, firstColumn: startColumn });
  };
  session!.on('Debugger.scriptParsed', listener);
  try {
    post('Debugger.enable');
    const isWanted = choose(found);
    return found.map((script) => {
      const { scriptId } = script;
      if (!isWanted(script)) return { ...script, source: null };
      return { ...script, source: post<{ scriptSource: string }>('Debugger.getScriptSource', { scriptId }).scriptSource };
    });
  } finally {
    session!.removeListener('Debugger.scriptParsed', listener);
    post('Debugger.disable');
  }
}
