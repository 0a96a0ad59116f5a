/**
 * Async contexts: whose turn it is in a thread that runs many tasks.
 *
 * A context is known by the tokens it carries in an AsyncLocalStorage. An acquisition makes a
 * token, and a recursive lock is the caller's when the caller's context carries the token of the
 * lock's owner. How a token comes into a context:
 *
 *   acquire()                  the code that continues with its result: what follows the `await`,
 *                              or the `then` callback
 *   runExclusive(fn)           fn
 *   tryAcquire, acquireSync    the code that called
 *
 * and from there, as with every AsyncLocalStorage, into all that this code calls and starts.
 *
 * Why not simply `enterWith` in acquire(): an async function runs in its caller's context up to its
 * first `await`. The token would get into the caller too, and a second task started by that caller
 * would pass for the first one. So the token is entered in the continuation: async_hooks tells
 * which promises continue ours (their trigger is our promise) and calls us in their context just
 * before they run. The hook makes every promise of the thread slower, so it is on only until
 * somebody awaits ours, which most do in the same synchronous stretch, and again from the moment it
 * is settled to the end of the turn; not while it waits.
 *
 * Limits: a context does not flow back from an async function to its caller. Who acquires in a
 * helper function and releases outside of it uses `hold()`, whose release asks for no context, or
 * `runExclusive`. A result that nobody awaits right away belongs to the whole thread. Where
 * async_hooks do not tell of promises (Bun, Deno) no continuation can be entered: what would have to
 * is refused.
 */
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { UnsupportedError } from '../../errors/index.js';
import { lineage, registerAfterFork } from '../../util/after-fork.js';
import { otherHost } from '../../util/host.js';
import { queueMicrotask, setImmediate } from '../../util/timers.js';

/** One acquisition, by one owner, of one recursive lock. */
export class Token {
  /** How often the owner has acquired; 0: no more, or not yet. */
  depth = 0;
  /** Released by a wait on a condition, which acquires again. */
  suspended = false;
  /** While it is suspended: how deep it was, and will be again. */
  suspendedDepth = 0;
  /** No context carries it: it is everybody's in this thread. */
  floating = false;
  /** A fork has its parent's contexts, but owns nothing that its parent owns. */
  readonly generation = lineage.generation;
}

const storage = new AsyncLocalStorage<readonly Token[]>();
/** Tokens of this thread that stand for something now. */
let inUse = 0;
let looking = false;

/** A recursive lock was taken. */
export function used(token: Token): void {
  if (token.generation === lineage.generation) inUse++;
}

/** It was released, whatever its depth was. */
export function unused(token: Token): void {
  if (token.generation !== lineage.generation || --inUse > 0 || looking) return;
  looking = true;
  setImmediate(onIdle);
}

/**
 * Node before 24 follows every promise of the thread for as long as the storage was used: not where
 * no token means anything.
 */
function onIdle(): void {
  looking = false;
  if (inUse === 0) storage.disable();
}

/** Whether the calling context owns what the token stands for. */
export function owns(token: Token): boolean {
  return token.generation === lineage.generation && (token.floating || storage.getStore()?.includes(token) === true);
}

/** The calling code owns from here on. */
export function enter(token: Token): void {
  if (!owns(token)) storage.enterWith(withToken(token));
}

/** Runs `fn` as the owner. */
export function runAs<R>(token: Token, fn: () => R): R {
  return storage.run(withToken(token), fn);
}

function withToken(token: Token): readonly Token[] {
  const live = storage.getStore()?.filter(({ depth, suspended }) => depth > 0 || suspended) ?? [];
  return [...live, token];
}

// ---- entering a continuation

/** Tokens on their way, by the async id of the promise that brings them. */
const expected = new Map<number, Token>();
/** By the async id of a promise that continues such a promise. */
const continuations = new Map<number, Token>();
let latest = 0;
/** Whether the hook is on. */
let on = false;
let leaving = false;
/** Settled ones whose promise nobody has awaited so far. */
const unclaimed = new Map<number, Token>();
let sweep: NodeJS.Immediate | null = null;

const hook = createHook({
  init(id, type, trigger) {
    if (type !== 'PROMISE') return;
    latest = id;
    const token = expected.get(trigger);
    if (token === undefined) return;
    expected.delete(trigger);
    unclaimed.delete(trigger);
    continuations.set(id, token);
  },
  before(id) {
    const token = continuations.get(id);
    if (token === undefined) return;
    continuations.delete(id);
    if (token.depth > 0) enter(token);
  },
});

function listen(): void {
  if (on) return;
  on = true;
  hook.enable();
}

/**
 * Turns the hook off, unless somebody may still await a promise of ours, or what was settled has
 * not run.
 */
function rest(): void {
  leaving = false;
  if (!on || expected.size > 0 || sweep !== null) return;
  on = false;
  hook.disable();
}

/** Whether async_hooks tell of promises here. */
let follows: boolean | undefined;

function followsPromises(): boolean {
  const before = latest;
  listen();
  void new Promise(() => {});
  rest();
  return latest !== before;
}

/**
 * A promise of what `take` promises, whose continuation owns what `token` stands for. Rejects with
 * UnsupportedError `MP_UNSUPPORTED` where no continuation can be entered.
 * @param take The token's depth is above 0 when it fulfils, if it was successful. May throw.
 */
export function enterWith<R>(
  actor: string,
  take: (token: Token, resolve: (result: R) => void, reject: (reason: unknown) => void) => void,
): Promise<R> {
  follows ??= followsPromises();
  if (!follows) return Promise.reject(unsupported(actor));
  const token = new Token();
  listen();
  let fulfil!: (result: R) => void;
  let refuse!: (reason: unknown) => void;
  const promise = new Promise<R>((resolve, reject) => {
    fulfil = resolve;
    refuse = reject;
  });
  const id = latest;
  expected.set(id, token);
  const settling = () => {
    listen();
    if (expected.has(id)) unclaimed.set(id, token);
    sweep ??= setImmediate(onSwept);
  };
  const reject = (reason: unknown) => {
    settling();
    refuse(reason);
  };
  try {
    take(
      token,
      (result) => {
        settling();
        fulfil(result);
      },
      reject,
    );
  } catch (error) {
    reject(error);
  }
  if (!leaving) {
    leaving = true;
    queueMicrotask(rest);
  }
  return promise;
}

function unsupported(actor: string): UnsupportedError {
  return new UnsupportedError(
    `${actor}: ${otherHost() ?? 'this runtime'} does not tell which code awaits a promise, so nobody would own the lock; use runExclusive(fn), or run the program with Node.`,
  );
}

// In a fork nothing is pending of what its parent awaits.
registerAfterFork(expected, () => {
  expected.clear();
  continuations.clear();
  unclaimed.clear();
  sweep = null;
  leaving = false;
  inUse = 0;
  looking = false;
  rest();
});

/** All that awaits what was settled before has run. */
function onSwept(): void {
  sweep = null;
  for (const [id, token] of unclaimed) {
    expected.delete(id);
    if (token.depth > 0) token.floating = true;
  }
  unclaimed.clear();
  rest();
}
