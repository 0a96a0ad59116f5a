/**
 * Primitives of this library beside those of CPython's multiprocessing, with the same placement: both processes on one core,
 * then one core each.
 *
 *   node bench/synchronize.js
 *   node bench/synchronize.js beside     only RwLock beside Lock, and SharedMap beside Map and a manager's dict
 *
 * Each line is the best of three runs; ratios above 1 are in our favour. Ours are measured after a warm-up, since both processes and
 * their compiler threads share the cores they are pinned to; CPython needs none.
 */
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Event, Lock, manager, RLock, RwLock, Semaphore, SharedMap } from 'multiprocess';
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

/** Ours beside ours, and beside what it is compared with: nanoseconds of each, alternating. */
const beside = {
  'RwLock.tryRead + release / Lock.tryAcquire + release': [
    ({ rw }) => timed(1_000_000, () => rw.tryRead()[Symbol.dispose]()),
    ({ lock }) =>
      timed(1_000_000, () => {
        lock.tryAcquire();
        lock.release();
      }),
  ],
  'RwLock.read + release / Lock.hold + release': [
    ({ rw }) => timedAsync(100_000, async () => (await rw.read())[Symbol.dispose]()),
    ({ lock }) => timedAsync(100_000, async () => (await lock.hold())[Symbol.dispose]()),
  ],
  'RwLock.write + release / Lock.hold + release': [
    ({ rw }) => timedAsync(100_000, async () => (await rw.write())[Symbol.dispose]()),
    ({ lock }) => timedAsync(100_000, async () => (await lock.hold())[Symbol.dispose]()),
  ],
  'SharedMap.get / Map.get, a number': [
    ({ shared }) => timed(300_000, (i) => shared.get(KEYS[i % KEYS.length])),
    ({ map }) => timed(300_000, (i) => map.get(KEYS[i % KEYS.length])),
  ],
  'SharedMap.set / Map.set, a number': [
    ({ shared }) => timed(300_000, (i) => shared.set(KEYS[i % KEYS.length], i)),
    ({ map }) => timed(300_000, (i) => map.set(KEYS[i % KEYS.length], i)),
  ],
  'SharedMap.get / dict.get of a manager': [
    ({ shared }) => timed(300_000, (i) => shared.get(KEYS[i % KEYS.length])),
    ({ dict }) => timedAsync(1_000, (i) => dict.get(KEYS[i % KEYS.length])),
  ],
  'SharedMap.set / dict.set of a manager': [
    ({ shared }) => timed(300_000, (i) => shared.set(KEYS[i % KEYS.length], i)),
    ({ dict }) => timedAsync(1_000, (i) => dict.set(KEYS[i % KEYS.length], i)),
  ],
  'SharedMap.update / SharedMap.set': [
    ({ shared }) => timedAsync(50_000, (i) => shared.update(KEYS[i % KEYS.length], (n) => n + 1)),
    ({ shared }) => timed(300_000, (i) => shared.set(KEYS[i % KEYS.length], i)),
  ],
};
const KEYS = Array.from({ length: 1_000 }, (_, i) => `key ${i}`);

function timed(rounds, run) {
  return perRound(rounds, () => {
    for (let i = 0; i < rounds; i++) run(i);
  });
}

async function timedAsync(rounds, run) {
  const start = performance.now();
  for (let i = 0; i < rounds; i++) await run(i);
  return ((performance.now() - start) / rounds) * 1e6;
}

/** Five rounds of each pair, and one before that warms up: medians, and the median of the ratios within the rounds. */
async function mainBeside() {
  const m = await manager();
  const objects = {
    lock: new Lock(),
    rw: new RwLock(),
    map: new Map(),
    shared: new SharedMap({ capacity: 10_000 }),
    dict: await m.dict(),
  };
  for (const key of KEYS) {
    objects.map.set(key, 1);
    objects.shared.set(key, 1);
    await objects.dict.set(key, 1);
  }
  const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
  for (const [name, [one, two]] of Object.entries(beside)) {
    const rounds = [];
    for (let i = 0; i < 6; i++) rounds.push([await one(objects), await two(objects)]);
    rounds.shift();
    const [first, second] = [0, 1].map((side) => median(rounds.map((round) => round[side])).toFixed(0));
    console.log(
      `${name.padEnd(56)} ${first.padStart(7)} / ${second.padStart(7)} ns   ratio ${median(rounds.map(([a, b]) => a / b)).toFixed(2)}`,
    );
  }
  await m.shutdown();
}

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
} else if (process.argv[2] === 'beside') await mainBeside();
else {
  await main();
  await mainBeside();
}

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
    const child = spawn(
      'taskset',
      ['-c', String(cores[side]), process.execPath, SELF, 'side', name, bytes, String(side)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
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
  const { stdout, status } = spawnSync('python3', ['-c', script, what, ...cores.map(String)], {
    encoding: 'utf8',
    timeout: 120_000,
  });
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
  const ratio =
    peer === null || peer === undefined
      ? ''
      : `   CPython ${peer.toFixed(1)} ${unit}   ratio ${(peer / value).toFixed(2)}`;
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
      show(
        `${name}, ${placement}`,
        await best(() => pair(name, cores)),
        name.startsWith('sem') ? semaphores : events,
        'us',
      );
    }
    const [we, they] = [
      await best(() => pair('contended lock, blocking', cores)),
      await best(() => python('contend', cores)),
    ];
    console.log(
      `contended lock, ${placement}: ${we.changes} owner changes/s, longest wait ${we.longest.toFixed(1)} ms`,
    );
    if (they !== null)
      console.log(
        `  CPython: ${they.changes}/s, longest wait ${they.longest.toFixed(1)} ms; ratio ${(we.changes / they.changes).toFixed(2)}`,
      );
  }
}
