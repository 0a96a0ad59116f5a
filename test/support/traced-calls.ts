/**
 * Items that leave traces of their runs, and what must hold of the traces, whatever the options and whoever dies: equal
 * keys never overlap and keep their order, no worker runs more at once than it may, nothing runs more often than it may.
 */
import { currentTask } from 'multiprocess';

/** An item: what it does at each attempt, the last one from there on. */
export interface TracedItem {
  readonly index: number;
  readonly key: number;
  readonly ms: number;
  readonly acts: readonly ('value' | 'error' | 'exit')[];
  /** Where it leaves its traces. */
  readonly path: string;
  /** A payload whose form is not that of others. */
  readonly extra: unknown;
}

/** Runs in a worker. */
export const traced = async ({ index, key, ms, acts, path }: TracedItem): Promise<number> => {
  const { appendFileSync } = process.getBuiltinModule('node:fs');
  const { threadId } = process.getBuiltinModule('node:worker_threads');
  const { attempt } = currentTask()!;
  // Process ids are used again within a long storm.
  const worker = `${process.pid}:${threadId}:${performance.timeOrigin}`;
  const trace = (what: string) => appendFileSync(path, `${what} ${index} ${key} ${attempt} ${worker}\n`);
  trace('begin');
  if (ms > 0) await new Promise((done) => setTimeout(done, ms));
  const act = acts[Math.min(attempt, acts.length - 1)];
  if (currentTask()?.attempt !== attempt) throw new Error('another task');
  // What ends a worker ends all that runs there: the trace of its end is left by nobody.
  if (act === 'exit') process.exit(3);
  trace('end');
  if (act === 'error') throw new RangeError(`item ${index}`);
  return index * 3;
};

/** Loads what {@link traced} needs: a worker that dies while it loads that may be one of three in a row. */
export const loaded = (): boolean => currentTask() === null;

export interface TraceRules {
  /** Whether items have keys. */
  readonly keyed: boolean;
  readonly concurrency: number;
  /** Most runs of one item. */
  readonly runs: number;
}

/** @throws Error for traces that must not be. `lines` are of one pool. */
export function checkTraces(lines: readonly string[], { keyed, concurrency, runs }: TraceRules): void {
  const attempts = new Map<string, number>();
  /** What runs of a key: the worker, and the item. */
  const open = new Map<string, { worker: string; index: number }>();
  const newest = new Map<string, number>();
  const running = new Map<string, Set<string>>();
  const dead = new Set<string>();
  const fail = (why: string, line: string): never => {
    throw new Error(`${why}: ${line}`);
  };
  lines.forEach((line) => {
    const [what, index, key, attempt, worker] = line.split(' ') as [string, string, string, string, string];
    const here = running.get(worker) ?? new Set();
    running.set(worker, here);
    if (what === 'end') {
      here.delete(index);
      if (open.get(key)?.index === Number(index)) open.delete(key);
      return;
    }
    if (dead.has(worker)) fail('a worker that was taken for dead', line);
    // One that was killed as it began may have left no trace of that run.
    if (Number(attempt) <= (attempts.get(index) ?? -1)) fail('an attempt that was', line);
    if (Number(attempt) >= runs) fail(`run more than ${runs} times`, line);
    attempts.set(index, Number(attempt));
    here.add(index);
    if (here.size > concurrency) fail(`more than ${concurrency} at once`, line);
    if (!keyed) return;
    const before = open.get(key);
    // One without an end is one whose worker died: that must not run anything any more.
    if (before?.worker === worker) fail('equal keys overlap in one worker', line);
    if (before !== undefined) dead.add(before.worker);
    if (Number(index) < (newest.get(key) ?? -1)) fail('out of order', line);
    newest.set(key, Number(index));
    open.set(key, { worker, index: Number(index) });
  });
}
