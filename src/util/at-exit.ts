/**
 * What is done when this process (or worker thread) ends, in Python's order:
 *
 *   first      finalizers of priority 0 and above
 *   children   children are joined, then daemons are ended
 *   last       the remaining finalizers
 *   release    what is shared with other processes is given up; only when the process (or thread)
 *              really ends
 *
 * Before all of them, what waits to be written is written (queues, connections) and this process
 * leaves what it takes part in: children that are joined may be waiting for just that. Those are
 * listeners that were put in front (`process.prependListener`).
 *
 * A process whose event loop runs empty goes through the stages in `beforeExit`, where a hook may
 * return a promise: the next hook starts when it is settled, and the process stays for as long as
 * the promise has something to wait for. `process.exit` and an uncaught error go through them in
 * `exit`, where only what a hook does at once counts. An end by a signal runs nothing.
 *
 * A loop that came back to life (a child's end made the program start something) ends again: a hook
 * may be called more than once, and does what is left to do.
 */

import { lineage, registerAfterFork } from './after-fork.js';

/** When a hook is called. */
export type ExitStage = 'first' | 'children' | 'last' | 'release';

/** How the process ends: with an event loop to wait on, or now. */
export type Ending = 'natural' | 'now';

/** Called in its stage. A promise is awaited in a natural end only. */
export type ExitHook = (ending: Ending) => void | Promise<void>;

const STAGES = ['first', 'children', 'last'] as const;
const hooks: Record<ExitStage, ExitHook[]> = { first: [], children: [], last: [], release: [] };
let installed = false;
let releasing = false;
let running = false;
let exiting = false;

/**
 * Adds a hook; those of one stage are called in the order in which they were added. Returns what
 * takes it back.
 */
export function atExit(stage: ExitStage, hook: ExitHook): () => void {
  if (stage === 'release') installRelease();
  else install();
  hooks[stage].push(hook);
  return () => {
    const index = hooks[stage].indexOf(hook);
    if (index >= 0) hooks[stage].splice(index, 1);
  };
}

/**
 * Goes on with what is not written yet, as far as it gets without waiting: whether something is
 * left.
 */
type Writing = () => boolean;

const writing: Writing[] = [];

/**
 * Has `write` called while this process blocks for its children at its end: one of them may be the
 * reader.
 */
export function writesAtExit(write: Writing): void {
  writing.push(write);
}

/** Goes on with what is not written yet. Returns whether something is left. */
export function writeOn(): boolean {
  return writing.filter((write) => write()).length > 0;
}

/**
 * Listeners of this library, which a copy of the process keeps; those of the program are dropped
 * there.
 */
const kept = new WeakSet<object>();

/**
 * Marks a listener of `process` as the library's own: a fork of this process has it too. Returns
 * it.
 */
export function keptByForks<F extends object>(listener: F): F {
  kept.add(listener);
  return listener;
}

/** Whether {@link keptByForks} was called for it. */
export function isKeptByForks(listener: object): boolean {
  return kept.has(listener);
}

/**
 * Whether this process is ending. Python: `util.is_exiting`.
 * @example
 * import { isExiting } from 'multiprocess/util';
 *
 * console.log(isExiting()); // false
 * process.on('exit', () => {
 *   if (isExiting()) console.log('too late for a new child'); // too late for a new child
 * });
 */
export function isExiting(): boolean {
  return exiting || running;
}

// Before every listener of the program, which may ask, and whether or not anything is hooked.
process.prependListener(
  'exit',
  keptByForks(() => {
    exiting = true;
  }),
);

function install(): void {
  if (installed) return;
  installed = true;
  process.on('beforeExit', keptByForks(onBeforeExit));
  process.on('exit', keptByForks(onExit));
  // A fork has hooks of its own, and one that was made while its parent was ending is not ending.
  registerAfterFork(hooks, (inherited) => {
    for (const stage of STAGES) inherited[stage] = [];
    // What is released is referred to by the fork as well; `release` stays.
    running = false;
    exiting = false;
  });
}

function installRelease(): void {
  if (releasing) return;
  releasing = true;
  // Where there are stages, it comes after them, whichever of the two was installed first.
  process.on(
    'exit',
    keptByForks(() => {
      if (!installed) release();
    }),
  );
}

function release(): void {
  for (const hook of [...hooks.release]) guarded(hook);
}

function onBeforeExit(): void {
  // Still under way: a hook waits for something that keeps no loop alive. What it waits for will
  // not come any more.
  if (running) return;
  running = true;
  const born = lineage.generation;
  void natural().finally(() => {
    if (born === lineage.generation) running = false;
  });
}

function onExit(): void {
  for (const stage of STAGES) for (const hook of [...hooks[stage]]) guarded(hook);
  release();
}

async function natural(): Promise<void> {
  for (const stage of STAGES) {
    for (const hook of [...hooks[stage]]) {
      try {
        const done = hook('natural');
        if (done !== undefined) await done;
      } catch (error) {
        complain(error);
      }
    }
  }
}

function guarded(hook: ExitHook): void {
  try {
    const done = hook('now');
    if (done !== undefined) done.catch(complain);
  } catch (error) {
    complain(error);
  }
}

/**
 * One that fails must not keep the others from running; the process is ending, so this goes to
 * stderr.
 */
function complain(error: unknown): void {
  process.stderr.write(
    `multiprocess: a hook failed at exit: ${error instanceof Error ? error.stack : String(error)}\n`,
  );
}
