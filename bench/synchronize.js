/**
 * Primitives of this library beside those of CPython's multiprocessing, with the same placement: both processes on one core,
 * then one core each.
 *
 *   node bench/synchronize.js
 *
 * Each line is the best of three runs; ratios above 1 are in our favour. Ours are measured after a warm-up, since both processes and
 * their compiler threads share the cores they are pinned to; CPython needs none.
 */
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Event, Lock, RLock, Semaphore } from 'multiprocess';
import { dumps, loads } from 'multiprocess/reduction';

const SELF = fileURLToPath(import.meta.url);
const ROUNDS = 200_000;
const WARM_UP = 100_000;
const PEER_ROUNDS = 20_000;

const ours = {
  'try+release': ({ lock }) => {
    const rounds = 5_000_000;
    return perRound(rounds, () => {
      for (let i = 0; i < rounds; i++) {
        lock.tryAcquire();
        lock.release();
      }
    });
  },
  'awaited acquire+release': async ({ lock }) => {
    const rounds = 500_000;
    const start = performance.now();
    for (let i = 0; i < rounds; i++) {
      await lock.acquire();
      lock.release();
    }
    return ((performance.now() - start) / rounds) * 1e6;
  },
  'awaited RLock acquire+release': async ({ rlock }) => {
    const rounds = 50_000;
    const start = performance.now();
    for (let i = 0; i < rounds; i++) {
      await rlock.acquire();
      rlock.release();
    }
    return ((performance.now() - start) / rounds) * 1e6;
  },
};

function perRound(rounds, run) {
  const start = performance.now();
  run();
  return ((performance.now() - start) / rounds) * 1e6;
}

/** One ping-pong of side 0 or 1. */
const rounds = {
  'semaphore ping-pong, blocking': ({ a, b }, side, count) => {
    const [mine, other] = side === 0 ? [a, b] : [b, a];
    for (let i = 0; i < count; i++) {
      if (side === 0) other.release();
      mine.acquireSync();
      if (side === 1) other.release();
    }
  },
  'semaphore ping-pong, awaited': async ({ a, b }, side, count) => {
    const [mine, other] = side === 0 ? [a, b] : [b, a];
    for (let i = 0; i < count; i++) {
      if (side === 0) other.release();
      await mine.acquire();
      if (side === 1) other.release();
    }
  },
  'event ping-pong, blocking': ({ e, f }, side, count) => {
    const [mine, other] = side === 0 ? [e, f] : [f, e];
    for (let i = 0; i < count; i++) {
      if (side === 0) other.set();
      mine.waitSync();
      mine.clear();
      if (side === 1) other.set();
    }
  },
  'event ping-pong, awaited': async ({ e, f }, side, count) => {
    const [mine, other] = side === 0 ? [e, f] : [f, e];
    for (let i = 0; i < count; i++) {
      if (side === 0) other.set();
      await mine.wait();
      mine.clear();
      if (side === 1) other.set();
    }
  },
};

/** What each of two processes does; `side` is 0 or 1. Returns what side 0 reports, microseconds of a round. */
const pairs = {
  ...Object.fromEntries(
    Object.entries(rounds).map(([name, run]) => [
      name,
      async (objects, side) => {
        await run(objects, side, WARM_UP);
        const start = performance.now();
        await run(objects, side, ROUNDS);
        return ((performance.now() - start) / ROUNDS) * 1e3;
      },
    ]),
  ),
  'contended lock, blocking': ({ lock, last }, side) => contend(lock, last, side, () => lock.acquireSync()),
};

/** Owner changes a second, and the longest wait in ms. */
function contend(lock, last, side, acquire) {
  const end = performance.now() + 1_000;
  let changes = 0;
  let longest = 0;
  for (let now = performance.now(); now < end; ) {
    acquire();
    const had = performance.now();
    longest = Math.max(longest, had - now);
    if (last.getValue() !== side) {
      changes++;
      if (side === 1) last.release();
      else last.tryAcquire();
    }
    lock.release();
    now = performance.now();
  }
  return { changes: 2 * changes, longest };
}

if (process.argv[2] === 'side') {
  const objects = loads(Buffer.from(process.argv[4], 'hex'));
  const side = Number(process.argv[5]);
  objects.ready.release();
  await objects.go.wait();
  const result = await pairs[process.argv[3]](objects, side);
  process.stdout.write(JSON.stringify(result));
} else await main();

async function pair(name, cores) {
  const objects = {
    a: new Semaphore(0),
    b: new Semaphore(0),
    e: new Event(),
    f: new Event(),
    lock: new Lock(),
    last: new Semaphore(0),
    ready: new Semaphore(0),
    go: new Event(),
  };
  const bytes = Buffer.from(dumps(objects)).toString('hex');
  const sides = [0, 1].map((side) => {
    const child = spawn('taskset', ['-c', String(cores[side]), process.execPath, SELF, 'side', name, bytes, String(side)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (part) => (text += part));
    return new Promise((done) => child.once('close', () => done(JSON.parse(text))));
  });
  await objects.ready.acquire();
  await objects.ready.acquire();
  objects.go.set();
  const results = await Promise.all(sides);
  if (typeof results[0] === 'number') return results[0];
  return { changes: results[0].changes, longest: Math.max(results[0].longest, results[1].longest) };
}

function python(what, cores) {
  const script = `
import multiprocessing as mp, os, sys, time, json
R = ${PEER_ROUNDS}
def pp_sem(a, b, side, core, q):
    os.sched_setaffinity(0, {core})
    mine, other = (a, b) if side == 0 else (b, a)
    s = time.perf_counter()
    for i in range(R):
        if side == 0: other.release()
        mine.acquire()
        if side == 1: other.release()
    if side == 0: q.put((time.perf_counter() - s) / R * 1e6)
def pp_ev(a, b, side, core, q):
    os.sched_setaffinity(0, {core})
    mine, other = (a, b) if side == 0 else (b, a)
    s = time.perf_counter()
    for i in range(R):
        if side == 0: other.set()
        mine.wait(); mine.clear()
        if side == 1: other.set()
    if side == 0: q.put((time.perf_counter() - s) / R * 1e6)
def contend(lock, last, side, core, q):
    os.sched_setaffinity(0, {core})
    end = time.perf_counter() + 1; changes = 0; longest = 0
    now = time.perf_counter()
    while now < end:
        lock.acquire()
        had = time.perf_counter(); longest = max(longest, had - now)
        if last.value != side: changes += 1; last.value = side
        lock.release()
        now = time.perf_counter()
    q.put((2 * changes, longest * 1e3))
if __name__ == '__main__':
    what = sys.argv[1]; cores = [int(sys.argv[2]), int(sys.argv[3])]
    if what == 'uncontended':
        l = mp.Lock(); n = 1000000; s = time.perf_counter()
        for i in range(n): l.acquire(False); l.release()
        print((time.perf_counter() - s) / n * 1e9); sys.exit()
    q = mp.Queue()
    if what == 'contend': args = (mp.Lock(), mp.RawValue('i', 0)); f = contend
    elif what == 'sem': args = (mp.Semaphore(0), mp.Semaphore(0)); f = pp_sem
    else: args = (mp.Event(), mp.Event()); f = pp_ev
    ps = [mp.Process(target=f, args=(*args, i, cores[i], q)) for i in (0, 1)]
    [p.start() for p in ps]; [p.join() for p in ps]
    if what == 'contend':
        r = [q.get(), q.get()]; print(json.dumps({'changes': r[0][0], 'longest': max(r[0][1], r[1][1])}))
    else: print(q.get())
`;
  const { stdout, status } = spawnSync('python3', ['-c', script, what, ...cores.map(String)], { encoding: 'utf8', timeout: 120_000 });
  return status === 0 ? JSON.parse(stdout) : null;
}

async function best(run, better = Math.min) {
  const results = [];
  for (let i = 0; i < 3; i++) results.push(await run());
  if (results.includes(null)) return null;
  if (typeof results[0] === 'number') return better(...results);
  return results.reduce((a, b) => (a.changes >= b.changes ? a : b));
}

function show(name, value, peer, unit) {
  const ratio = peer === null || peer === undefined ? '' : `   CPython ${peer.toFixed(1)} ${unit}   ratio ${(peer / value).toFixed(2)}`;
  console.log(`${name.padEnd(52)} ${value.toFixed(1).padStart(9)} ${unit}${ratio}`);
}

async function main() {
  const objects = { lock: new Lock(), rlock: new RLock() };
  for (const [name, run] of Object.entries(ours)) {
    const peer = name === 'try+release' ? await best(() => python('uncontended', [0, 0])) : undefined;
    show(name, await best(() => run(objects)), peer, 'ns');
  }
  const placements = { 'one core': [0, 0], ...(availableParallelism() > 1 ? { 'a core each': [0, 1] } : {}) };
  for (const [placement, cores] of Object.entries(placements)) {
    const semaphores = await best(() => python('sem', cores));
    const events = await best(() => python('ev', cores));
    for (const name of Object.keys(pairs)) {
      if (name.startsWith('contended')) continue;
      show(`${name}, ${placement}`, await best(() => pair(name, cores)), name.startsWith('sem') ? semaphores : events, 'us');
    }
    const [we, they] = [await best(() => pair('contended lock, blocking', cores)), await best(() => python('contend', cores))];
    console.log(`contended lock, ${placement}: ${we.changes} owner changes/s, longest wait ${we.longest.toFixed(1)} ms`);
    if (they !== null)
      console.log(
        `  CPython: ${they.changes}/s, longest wait ${they.longest.toFixed(1)} ms; ratio ${(we.changes / they.changes).toFixed(2)}`,
      );
  }
}
