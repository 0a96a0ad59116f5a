/**
 * Runs a command in a session of its own, with a time limit, and sees to it that nothing of it is left.
 *
 * What belongs to a run is known by a variable of the environment, which children inherit: a process that has left the group or the
 * session of its parent is found all the same.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const MARK = 'TOOLCHAIN_RUN';
const MAX_OUTPUT_CHARACTERS = 20_000;
/** Children that are ending when the program has ended are given this long. */
const GRACE_MS = 5_000;

let runs = 0;

/** Processes whose environment has `mark`, zombies left out. */
function processesOf(mark) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark);
      } catch {
        return false; // ended meanwhile, or another user's
      }
    })
    .map(Number);
}

function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '(ended)';
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ended meanwhile
  }
}

/** Until none of a run is left, or the time is over: the command lines of those that were, which are killed. */
async function leftOver(mark) {
  const end = Date.now() + GRACE_MS;
  let left = processesOf(mark);
  for (; left.length > 0 && Date.now() < end; left = processesOf(mark)) await sleep(50);
  const lines = left.map(commandLine);
  // More may be started while these are killed, by a program that starts itself.
  for (let round = 0; left.length > 0 && round < 200; round++) {
    left.forEach(kill);
    left = processesOf(mark);
  }
  return lines;
}

const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const mark of running)
      for (let left = processesOf(mark); left.length > 0; left = processesOf(mark)) left.forEach(kill);
    process.exit(1);
  });
}

/**
 * Returns `{ status, signal, timedOut, output, left }`. `interact(child)`, if given, is called when the command runs.
 * @param {string[]} command
 * @param {{ cwd: string, env?: Record<string, string | undefined>, input?: string, limit?: number, interact?: (child: any) => unknown }} options
 */
export async function execute([file, ...args], { cwd, env = {}, input, limit = 150_000, interact }) {
  const mark = `${MARK}=${process.pid}-${++runs}`;
  running.add(mark);
  const child = spawn(file, args, {
    cwd,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: undefined,
      FORCE_COLOR: '0',
      NO_COLOR: '1',
      ...env,
      [MARK]: mark.slice(MARK.length + 1),
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-MAX_OUTPUT_CHARACTERS);
    });
  }
  child.stdin.on('error', () => {}); // a command that ends without having read it
  child.stdin.end(input);
  let timedOut = false;
  const { promise: ended, resolve } = withResolvers();
  child.on('error', (error) => resolve({ status: null, signal: null, error }));
  child.on('exit', (status, signal) => resolve({ status, signal }));
  const timer = setTimeout(() => {
    timedOut = true;
    for (const pid of processesOf(mark)) kill(pid);
  }, limit);
  const interacting = interact?.(child)?.catch?.((error) => {
    output += `\ninteraction: ${error.stack}`;
  });
  const { status, signal, error } = await ended;
  clearTimeout(timer);
  await interacting;
  const left = await leftOver(mark);
  running.delete(mark);
  if (error !== undefined) output += `\n${error.message}`;
  return { status, signal, timedOut, output, left };
}

function withResolvers() {
  let resolve;
  const promise = new Promise((r) => {
    resolve = r;
  });
  return { promise, resolve };
}

/** Runs what a host needs before: throws with the output when it fails. */
export async function prepareWith(command, options) {
  const { status, output, timedOut } = await execute(command, { limit: 300_000, ...options });
  if (status !== 0)
    throw new Error(
      `${command.slice(0, 4).join(' ')} … ${timedOut ? 'took too long' : `ended with ${status}`}:\n${output.slice(-3_000)}`,
    );
}
