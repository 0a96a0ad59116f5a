/**
 * Runs around every test file: at its end no child process, no descriptor of ours and no shared block that this run made may be left.
 * Without the addon: nothing that its threads share.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import v8 from 'node:v8';
import vm from 'node:vm';
import { afterAll, beforeAll, expect } from 'vitest';
import { countThings, nativeAvailable } from '../../dist/native/index.js';
import { forgetNames, noteNames, ownBlocks } from './blocks.js';

/** Without the addon eventfds are those of the loops of threads: one stays, which keeps what is shared. */
const OURS = nativeAvailable()
  ? /^(\/memfd:multiprocess|anon_inode:\[eventfd\]|\/dev\/shm\/)/
  : /^(\/memfd:multiprocess|\/dev\/shm\/)/;

function children(): string[] {
  const found: string[] = [];
  for (const task of readdirSync('/proc/self/task')) {
    let pids: string[] = [];
    try {
      pids = readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean);
    } catch {
      // The thread ended while we looked.
    }
    for (const pid of pids) {
      try {
        found.push(`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 200)}`);
      } catch {
        // It ended while we looked.
      }
    }
  }
  return found.sort();
}

function descriptors(): string[] {
  const found: string[] = [];
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      if (OURS.test(target)) found.push(`${fd} -> ${target}`);
    } catch {
      // The descriptor of the listing itself.
    }
  }
  return found.sort();
}

/** Shared memory goes when its last user goes, and that may be the garbage collector; handles keep it for a time of their own. */
function release(): void {
  for (const end of (globalThis as Record<symbol, (() => void)[] | undefined>)[
    Symbol.for('multiprocess.endTransits')
  ] ?? [])
    end();
  v8.setFlagsFromString('--expose-gc');
  (vm.runInNewContext('gc') as () => void)();
}

noteNames();

const things = (): number => (nativeAvailable() ? 0 : countThings());

let before: { children: string[]; descriptors: string[]; shared: string[]; things: number };

beforeAll(() => {
  before = { children: children(), descriptors: descriptors(), shared: ownBlocks(), things: things() };
});

afterAll(async () => {
  // What ended is reaped and closed on later turns of the loop; poll for it, with a watchdog.
  const deadline = Date.now() + 5_000;
  const now = () => ({ children: children(), descriptors: descriptors(), shared: ownBlocks(), things: things() });
  while (JSON.stringify(now()) !== JSON.stringify(before) && Date.now() < deadline) {
    release();
    await new Promise((done) => setTimeout(done, 20));
  }
  const left = now();
  forgetNames();
  expect(left, 'left behind by this file').toEqual(before);
});
