/**
 * This thread's line to the tracker (tracker.ts), which unlinks names when their creators are gone.
 *
 * The tracker reads a pipe. It is found by its pid: any process of the same user opens the pipe through /proc, so writing is
 * synchronous, and a name is known to the tracker before `create` returns, whatever happens next. Its address stands in the
 * environment, so that one tracker serves a whole tree of processes; those started before it learn of it from handles.
 *
 * Lines, each written at once (shorter than PIPE_BUF, hence whole):   + pid startTime device:inode name
 *                                                                    - device:inode name
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { closeDescriptor, createPipe, keepChild, processStartTime, processState, watchProcess } from '../native/index.js';
import { registerAfterFork } from '../util/after-fork.js';
import { deferred } from '../util/deferred.js';
import { settles } from '../util/wait-options.js';

/** `pid:startTime` of a tracker. */
export type TrackerAddress = string;

const VARIABLE = 'MULTIPROCESS_TRACKER';
/** Milliseconds without a name after which the line is closed; a tracker without lines ends. */
const LINGER = 1_000;

/** Names this thread answers for, with their inodes: told again to a new tracker when one was killed. */
const names = new Map<string, string>();
let descriptor: number | null = null;
/** Closes it, as it was opened. */
let close: (fd: number) => void = closeSync;
let address: TrackerAddress | null = null;
let timer: NodeJS.Timeout | null = null;
/** Whether the line stays open without names: somebody asked for a running tracker. */
let wanted = false;

/** Makes this process answer for a name: it is unlinked when all who do are gone. @param hint The tracker that knows the name already. */
export function track(name: string, inode: string, hint?: TrackerAddress): void {
  names.set(name, inode);
  send(registration(name, inode), hint);
}

/** The name was unlinked. */
export function untrack(name: string, inode: string): void {
  const mine = names.delete(name);
  if (mine || descriptor !== null) send(`- ${inode} ${encodeURIComponent(name)}\n`);
  if (names.size === 0) closeSoon();
}

/** Whether this thread answers for the name. */
export function tracked(name: string): boolean {
  return names.has(name);
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

// A forked process answers for what it attaches or creates itself, under its own name. The line it may keep.
registerAfterFork(names, () => {
  names.clear();
  started = null;
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
    line = [...names].map(([name, inode]) => registration(name, inode)).join('') + (line.startsWith('-') ? line : '');
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
    return openSync(`/proc/${pid}/fd/0`, 'w');
  } catch {
    return null; // It ended meanwhile, or belongs to another user.
  }
}

/** Starts a tracker: in a session of its own, so that Ctrl-C does not reach it, and with our stderr, to report leaks. */
function start(): void {
  const [reads, writes] = createPipe();
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '' };
  delete env[VARIABLE];
  const entry = fileURLToPath(new URL('./tracker.js', import.meta.url));
  try {
    const child = spawn(process.execPath, ['--max-old-space-size=32', '--v8-pool-size=1', entry], {
      stdio: [reads, 'ignore', 'inherit'],
      detached: true,
      cwd: '/',
      env,
    });
    child.on('error', () => {}); // Names then outlive a crash; creating them works all the same.
    keepChild(child, false);
    child.unref();
    descriptor = writes;
    close = closeDescriptor;
    address = `${child.pid}:${child.pid === undefined ? null : processStartTime(child.pid)}`;
    process.env[VARIABLE] = address;
    const mine = address;
    child.once('exit', () => address === mine && (names.size > 0 || wanted) && restart());
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
