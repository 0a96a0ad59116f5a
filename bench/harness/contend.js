/** Runs contenders as child processes, and sees to it that none of their processes outlives them. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));
const ENDINGS = { 13: 'waits for something that nothing can bring about any more' }; // Node: unsettled top-level await
const GRACE = 2000; // milliseconds the processes a contender started have to end after it

/** The process group that runs now. */
let group;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    killGroup();
    process.exit(130);
  });
}
process.on('exit', killGroup);

/**
 * Runs one contender in a fresh process, the leader of its own process group.
 *
 * @returns what it measured, or `{ error }`: it failed, it ran into the watchdog, or it left processes behind.
 */
export async function contend(benchmark, contender, variant, settings, { watchdog, cpus }) {
  const argv = [process.execPath, CHILD, benchmark, contender, variant, JSON.stringify(settings)];
  if (cpus !== undefined) argv.unshift('taskset', '-c', cpus);
  const child = spawn(argv[0], argv.slice(1), { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const mine = child.pid;
  group = mine;
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err = (err + chunk).slice(-2000);
  });
  let overdue = false;
  const timer = setTimeout(() => {
    overdue = true;
    killGroup();
  }, watchdog);
  const ended = await new Promise((resolve) => {
    child.once('error', (error) => resolve({ failure: error.message }));
    child.once('exit', (code, signal) =>
      resolve({ failure: code === 0 ? undefined : (ENDINGS[code] ?? `ended with ${signal ?? code}`) }),
    );
  });
  clearTimeout(timer);
  const orphans = mine === undefined ? [] : await orphansOf(mine);
  killGroup();
  group = undefined;
  if (overdue) return { error: `did not end within ${watchdog / 1000} s` };
  if (ended.failure !== undefined) return { error: `${ended.failure}: ${err.trim()}` };
  if (orphans.length > 0) return { error: `left processes behind: ${orphans.join(', ')}` };
  try {
    return JSON.parse(out);
  } catch {
    return { error: `printed no result: ${out.slice(0, 200)}` };
  }
}

function killGroup() {
  if (group === undefined) return;
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // nobody left
  }
}

/** The live processes of a group, once they have had time to end. */
async function orphansOf(id) {
  for (const deadline = performance.now() + GRACE; ; await sleep(20)) {
    const members = membersOf(id);
    if (members.length === 0 || performance.now() > deadline) return members;
  }
}

function membersOf(id) {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      // pid (name) state parent group …: the name may hold anything, also parentheses
      const [state, , of] = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return state !== 'Z' && Number(of) === id;
    } catch {
      return false; // it has just ended
    }
  });
}
