/**
 * This thread's line to the tracker (tracker.ts), which unlinks names when their creators are gone.
 *
 * The tracker reads a pipe. It is found by its pid: any process of the same user opens the pipe
 * through /proc, so writing is synchronous, and a name is known to the tracker before it is there,
 * whatever happens next. Its address stands in the environment, so that one tracker serves a whole
 * tree of processes; those started before it learn of it from handles.
 *
 * Lines, each written at once (shorter than PIPE_BUF, hence whole):
 *   + pid startTime device:inode name
 *   - device:inode name
 */
import { spawn } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MultiprocessError } from '../errors/index.js';
import {
  closeDescriptor,
  createPipe,
  keepChild,
  processStartTime,
  processState,
  watchProcess,
} from '../native/index.js';
import { reopenDescriptor } from '../platform/proc-linux.js';
import { registerAfterFork } from '../util/after-fork.js';
import { atExit } from '../util/at-exit.js';
import { deferred } from '../util/deferred.js';
import { ownExecutable, startingEnvironment } from '../util/executable.js';
import { entry } from '../util/package.js';
import { clearTimeout, performance, setTimeout } from '../util/timers.js';
import { settles } from '../util/wait-options.js';

/** `pid:startTime` of a tracker. */
export type TrackerAddress = string;

const VARIABLE = 'MULTIPROCESS_TRACKER';
/** Milliseconds without a name after which the line is closed; a tracker without lines ends. */
const LINGER = 1_000;
/** A tracker that ends within so many milliseconds of its start has probably failed. */
const SOON = 1_000;
/** Failed trackers in a row after which nobody starts another one by himself. */
const MOST_FAILURES = 3;

/**
 * Names this thread answers for, each with the block it means: told again to a new tracker when one
 * was killed. By `inode name`.
 */
const names = new Map<string, { readonly name: string; readonly inode: string }>();
let descriptor: number | null = null;
/** Closes it, as it was opened. */
let close: (fd: number) => void = closeSync;
let address: TrackerAddress | null = null;
let timer: NodeJS.Timeout | null = null;
/** Whether the line stays open without names: somebody asked for a running tracker. */
let wanted = false;

/**
 * Makes this process answer for a name, which need not be there yet: it is unlinked when all who do
 * are gone, if it means this block then.
 *
 * @param hint The tracker that knows the name already.
 * @throws MultiprocessError `MP_SYSTEM` when no tracker can be started.
 */
export function track(name: string, inode: string, hint?: TrackerAddress): void {
  const key = `${inode} ${name}`;
  const known = names.has(key);
  names.set(key, { name, inode });
  if (!hooked) atExit('last', replaceDead);
  hooked = true;
  try {
    send(registration(name, inode), hint);
  } catch (error) {
    if (!known) names.delete(key);
    throw error;
  }
}

/** The name was unlinked, or never came to be. */
export function untrack(name: string, inode: string): void {
  const mine = names.delete(`${inode} ${name}`);
  if (mine || descriptor !== null) send(`- ${inode} ${encodeURIComponent(name)}\n`);
  if (names.size === 0) closeSoon();
}

/** Whether this thread answers for the name. */
export function tracked(name: string): boolean {
  for (const each of names.values()) if (each.name === name) return true;
  return false;
}

/** Sees to it that a tracker runs, and that it is not let go for want of names. */
export function ensureTracker(): void {
  wanted = true;
  if (timer !== null) clearTimeout(timer);
  timer = null;
  if (descriptor === null) send('');
  else if (!runs(address!)) restart();
}

/**
 * Closes this thread's line. The tracker ends when nobody else has one and no name is left.
 * @returns whether it has ended within `timeout` milliseconds.
 */
export async function stopTracker(timeout: number): Promise<boolean> {
  wanted = false;
  const left = address;
  disconnect();
  if (left === null) return true;
  const ended = deferred<void>();
  // Watched first, then looked at: its id may be another's by now.
  const watch = watchProcess(Number(left.split(':')[0]), () => ended.resolve());
  if (watch === null || !runs(left)) ended.resolve();
  try {
    return await settles(ended.promise, { timeout });
  } finally {
    watch?.close();
  }
}

function runs(tracker: TrackerAddress): boolean {
  const [pid, since] = tracker.split(':');
  const state = processState(Number(pid));
  return state !== null && !state.ended && String(state.startTime) === since;
}

/** Where the tracker is that knows our names, for other processes; `null` when there is none. */
export function trackerAddress(): TrackerAddress | null {
  return address;
}

let started: bigint | null = null;
/** {@link replaceDead} is among what is done at exit. */
let hooked = false;
/** Trackers that ended within {@link SOON} of their start, in a row. */
let failures = 0;

// A forked process answers for what it attaches or creates itself, under its own name. The line it
// may keep.
registerAfterFork(names, () => {
  names.clear();
  started = null;
  hooked = false;
  failures = 0;
  if (timer !== null) clearTimeout(timer);
  timer = null;
});

function registration(name: string, inode: string): string {
  started ??= processStartTime(process.pid);
  return `+ ${process.pid} ${started} ${inode} ${encodeURIComponent(name)}\n`;
}

function send(line: string, hint?: TrackerAddress): void {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  if (descriptor === null) {
    connect(hint);
    line =
      [...names.values()].map(({ name, inode }) => registration(name, inode)).join('') +
      (line.startsWith('-') ? line : '');
  }
  try {
    writeLines(line);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    restart();
    if (line.startsWith('-')) send(line);
  }
}

/** A new tracker is told all names. */
function restart(): void {
  process.emitWarning('The resource tracker of multiprocess: its process died unexpectedly; it is started again.', {
    code: 'MP_TRACKER_DIED',
  });
  disconnect();
  send('');
}

/** The next who makes a name tries again. */
function giveUp(): void {
  process.emitWarning(
    `The resource tracker of multiprocess: ${failures} in a row ended at once, so a crash would leave names of shared memory behind; see what it wrote to stderr.`,
    { code: 'MP_TRACKER_DIED' },
  );
  failures = 0;
  disconnect();
}

/**
 * A tracker that was killed while this process ended, or just before, would leave our names to
 * nobody.
 */
function replaceDead(): void {
  if (names.size === 0 || (address !== null && runs(address))) return;
  disconnect();
  send('');
}

/** Line by line: a write of more than PIPE_BUF bytes might be mixed with others'. */
function writeLines(lines: string): void {
  for (const line of lines.match(/.*\n/g) ?? []) writeSync(descriptor!, line);
}

function connect(hint: TrackerAddress | undefined): void {
  for (const candidate of [hint, process.env[VARIABLE]]) {
    if (candidate === undefined) continue;
    descriptor = open(candidate);
    if (descriptor === null) continue;
    close = closeSync;
    address = candidate;
    return;
  }
  start();
}

function open(candidate: TrackerAddress): number | null {
  if (!runs(candidate)) return null;
  const [pid] = candidate.split(':');
  try {
    return reopenDescriptor(Number(pid), 0, 'w');
  } catch {
    return null; // It ended meanwhile, or belongs to another user.
  }
}

/**
 * Starts a tracker: in a session of its own, so that Ctrl-C does not reach it, and with our stderr,
 * to report leaks.
 */
function start(): void {
  const [reads, writes] = createPipe();
  const env = startingEnvironment({ ...process.env, NODE_OPTIONS: '' });
  delete env[VARIABLE];
  const program = fileURLToPath(entry('shared-memory/tracker'));
  try {
    const child = spawn(
      ownExecutable('The resource tracker'),
      ['--max-old-space-size=32', '--v8-pool-size=1', program],
      {
        stdio: [reads, 'ignore', 'inherit'],
        detached: true,
        cwd: '/',
        env,
      },
    );
    child.on('error', () => {}); // Told below.
    keepChild(child, false);
    child.unref();
    if (child.pid === undefined) throw notStarted();
    descriptor = writes;
    close = closeDescriptor;
    address = `${child.pid}:${processStartTime(child.pid)}`;
    process.env[VARIABLE] = address;
    const mine = address;
    const since = performance.now();
    child.once('exit', () => {
      failures = performance.now() - since < SOON ? failures + 1 : 0;
      if (address !== mine || (names.size === 0 && !wanted)) return;
      if (failures < MOST_FAILURES) restart();
      else giveUp();
    });
  } catch (error) {
    closeDescriptor(writes);
    throw error;
  } finally {
    closeDescriptor(reads);
  }
}

function closeSoon(): void {
  if (wanted) return;
  timer ??= setTimeout(disconnect, LINGER).unref();
}

function disconnect(): void {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  if (descriptor !== null) close(descriptor);
  descriptor = null;
  address = null;
}

function notStarted(): MultiprocessError {
  return new MultiprocessError(
    'SharedMemory: the resource tracker could not be started, so a crash would leave the name behind; check the limits of processes and descriptors (ulimit -u, ulimit -n).',
    { code: 'MP_SYSTEM' },
  );
}
