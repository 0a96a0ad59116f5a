/**
 * Managers beside CPython's multiprocessing.Manager, with the same placement: a core each, then client and server on one core.
 *
 *   node bench/managers.js [--rounds 3] [--seconds 1] [--only NAME]      after `npm run build`
 *
 *   calls     dict get and set, one at a time, and 256 in flight
 *   make      a new list, one at a time: microseconds
 *   start     a manager's start beside that of a process, by spawn and by forkserver: milliseconds
 *   clients   50 processes at once: calls a second of all, and the slowest client's share of the mean
 *   watch     changes a second that reach 20 watchers in other processes, each change each watcher
 *
 * Ours and CPython's rounds take turns, medians; `n/a` without python3. Each side of ours is measured after a warm-up.
 */
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const SELF = fileURLToPath(import.meta.url);
const IN_FLIGHT = 256;
const CLIENTS = 50;
const WATCHERS = 20;

// ---- one contender in one round, in a process of its own: `side NAME CLIENT-CORE SERVER-CORE SECONDS`

const sides = {
  /** Calls a second, one at a time. */
  async get(d, seconds) {
    return loop(seconds, () => d.get('key'));
  },
  async set(d, seconds) {
    return loop(seconds, (i) => d.set('key', i));
  },
  async getMany(d, seconds) {
    return flood(seconds, () => d.get('key'));
  },
  async setMany(d, seconds) {
    return flood(seconds, (i) => d.set('key', i));
  },
  /** Lists made in a second. */
  async make(_, seconds, m) {
    return loop(seconds, () => m.list());
  },
};

async function loop(seconds, call) {
  for (const until of [seconds / 2, seconds]) {
    const start = performance.now();
    const end = start + 1e3 * until;
    let n = 0;
    while (performance.now() < end) for (let k = 0; k < 16; k++) await call(n++);
    if (until === seconds) return n / ((performance.now() - start) / 1e3);
  }
}

async function flood(seconds, call) {
  for (const until of [seconds / 2, seconds]) {
    const start = performance.now();
    const end = start + 1e3 * until;
    let n = 0;
    const one = async () => {
      while (performance.now() < end) await call(n++);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, one));
    if (until === seconds) return n / ((performance.now() - start) / 1e3);
  }
}

const pin = (pid, core) => spawnSync('taskset', ['-a', '-cp', String(core), String(pid)]);

async function side(name, serverCore, seconds) {
  const { manager, pipe, Process } = await import('../dist/index.js');
  if (name === 'start') return starts(manager, Process, pipe, seconds);
  const m = await manager();
  if (serverCore !== null) pin(m.process.pid, serverCore);
  try {
    if (name === 'clients') return await clients(m, Process, seconds);
    if (name === 'watch') return await watch(m, Process, seconds);
    const d = await m.dict();
    await d.set('key', 1);
    return await sides[name](d, seconds, m);
  } finally {
    await m.shutdown();
  }
}

/** Milliseconds that a process, and a manager, need to start, by spawn and by forkserver. */
async function starts(manager, Process, pipe, seconds) {
  const results = {};
  for (const context of ['spawn', 'forkserver']) {
    const ways = {
      // Until it has said something: a manager's server has, too.
      process: async () => {
        const [mine, theirs] = pipe();
        const child = await new Process((parent) => parent.send('here'), { args: [theirs], context }).start();
        await mine.recv();
        mine.close();
        theirs.close();
        return () => child.join();
      },
      manager: async () => {
        const m = await manager({ context });
        return () => m.shutdown();
      },
    };
    for (const way of Object.values(ways)) await (await way())();
    const times = { process: [], manager: [] };
    for (const end = performance.now() + 1e3 * seconds; performance.now() < end; ) {
      for (const [name, way] of Object.entries(ways)) {
        const start = performance.now();
        const over = await way();
        times[name].push(performance.now() - start);
        await over();
      }
    }
    results[context] = {
      process: median(times.process),
      manager: median(times.manager),
      ratio: median(times.manager.map((t, i) => t / times.process[i])),
    };
  }
  const { forkserver } = await import('../dist/process/forkserver/index.js');
  await forkserver.stop();
  return results;
}

/** Calls a second of 50 clients together, and the slowest one's share of their mean. */
async function clients(m, Process, seconds) {
  const [d, ready, go, counts] = [await m.dict({ key: 1 }), await m.Semaphore(0), await m.Event(), await m.list()];
  const client = async (d, ready, go, counts, seconds) => {
    await d.get('key');
    await ready.release();
    await go.wait();
    let n = 0;
    for (const end = Date.now() + 1e3 * seconds; Date.now() < end; n++)
      await (n % 2 === 0 ? d.get('key') : d.set('key', n));
    await counts.append(n);
  };
  const all = [];
  // As many at a time as start without starving each other.
  for (let i = 0; i < CLIENTS; i++) {
    all.push(await new Process(client, { args: [d, ready, go, counts, seconds] }).start());
  }
  for (const _ of all) await ready.acquire();
  await go.set();
  for (const each of all) await each.join();
  const failed = all.filter(({ exitCode }) => exitCode !== 0).length;
  const list = await counts.copy();
  const sum = list.reduce((a, b) => a + b, 0);
  return {
    rate: sum / seconds,
    slowest: Math.min(...list) / (sum / list.length),
    failed: failed + CLIENTS - list.length,
  };
}

/** Changes a second that reach all watchers; nobody misses one. */
async function watch(m, Process, seconds) {
  const [d, ready, seen] = [await m.dict({ key: 1 }), await m.Semaphore(0), await m.list()];
  const watcher = async (d, ready, seen) => {
    let changes = 0;
    let missed = 0;
    await new Promise((resolve, reject) => {
      const next = (change) => {
        if (change.type === 'state') {
          if (changes === 0 && missed === 0) void ready.release();
          missed += change.missed;
        } else if (change.key === 'end') {
          subscription.unsubscribe();
          resolve();
        } else changes++;
      };
      const subscription = d.watch({ maxSize: 100_000 }).subscribe({ next, error: reject });
    });
    await seen.append([changes, missed]);
  };
  const all = [];
  for (let i = 0; i < WATCHERS; i++) all.push(await new Process(watcher, { args: [d, ready, seen] }).start());
  for (const _ of all) await ready.acquire();
  const start = performance.now();
  const end = start + 1e3 * seconds;
  let sent = 0;
  const one = async () => {
    while (performance.now() < end) await d.set('key', sent++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  await d.set('end', 0);
  for (const each of all) await each.join();
  const took = (performance.now() - start) / 1e3;
  const list = await seen.copy();
  const missed = list.reduce((sum, [, gone]) => sum + gone, 0);
  if (list.length !== WATCHERS || list.some(([changes, gone]) => changes + gone !== sent))
    throw new Error(`of ${sent}: ${JSON.stringify(list)}`);
  return { rate: sent / took, missed: missed / (sent * WATCHERS) };
}

// ---- CPython's

const PYTHON = `
import multiprocessing as mp, os, sys, time
name, client, server, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
from multiprocessing.managers import SyncManager
def pin():
    if server >= 0: os.sched_setaffinity(0, {server})
def loop(call):
    end = time.perf_counter() + seconds; began = time.perf_counter(); n = 0
    while time.perf_counter() < end:
        for _ in range(16): call()
        n += 16
    return n / (time.perf_counter() - began)
def client_of(d, ready, go, counts):
    d.get('key'); ready.release(); go.wait(); n = 0; end = time.time() + seconds
    while time.time() < end:
        d.get('key') if n % 2 == 0 else d.__setitem__('key', n)
        n += 1
    counts.append(n)
if __name__ == '__main__':
    if name == 'start':
        mp.set_start_method('spawn'); process, manager = [], []
        for _ in range(max(3, int(seconds * 4))):
            b = time.perf_counter(); e = mp.Event(); p = mp.Process(target=e.set); p.start(); e.wait(); process.append(time.perf_counter() - b); p.join()
            b = time.perf_counter(); m = mp.Manager(); manager.append(time.perf_counter() - b); m.shutdown()
        print(sorted(manager)[len(manager) // 2] * 1e3); sys.exit()
    m = SyncManager(); m.start(pin)
    if client >= 0: os.sched_setaffinity(0, {client})
    d = m.dict(); d['key'] = 1
    if name == 'get': print(loop(lambda: d.get('key')))
    elif name == 'set': print(loop(lambda: d.__setitem__('key', 1)))
    elif name == 'make': print(loop(lambda: m.list()))
    elif name == 'clients':
        mp.set_start_method('fork', force=True)
        ready, go, counts = m.Semaphore(0), m.Event(), m.list()
        ps = [mp.Process(target=client_of, args=(d, ready, go, counts)) for _ in range(${CLIENTS})]
        for p in ps: p.start()
        for p in ps: ready.acquire()
        go.set()
        for p in ps: p.join()
        print(sum(counts) / seconds)
    m.shutdown()
`;

function python(name, clientCore, serverCore, seconds) {
  const argv = ['-c', PYTHON, name, String(clientCore ?? -1), String(serverCore ?? -1), String(seconds)];
  const { status, stdout, stderr } = spawnSync('python3', argv, { encoding: 'utf8', timeout: 120_000 });
  if (status !== 0 && stderr) console.error(stderr.trim().split('\n').at(-1));
  return status === 0 ? Number(stdout) : null;
}

// ---- the rounds

function ours(name, clientCore, serverCore, seconds) {
  const argv = [process.execPath, SELF, 'side', name, JSON.stringify(serverCore), String(seconds)];
  if (clientCore !== null) argv.unshift('taskset', '-c', String(clientCore));
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (part) => {
      text += part;
    });
    child.once('close', (code) =>
      code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`${name} ended with ${code}`)),
    );
  });
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const digits = (n) =>
  n === null || n === undefined || Number.isNaN(n)
    ? 'n/a'
    : n >= 100
      ? Math.round(n).toLocaleString('en')
      : n.toFixed(2);

async function main() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '1' },
      only: { type: 'string' },
    },
  });
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  const wanted = (name) => values.only === undefined || values.only === name;
  const row = (label, value, peer, target) =>
    console.log(
      `${label.padEnd(58)}${digits(value).padStart(12)}${digits(peer).padStart(12)}${(typeof peer === 'number' && !Number.isNaN(peer) ? `${(value / peer).toFixed(2)}x` : '').padStart(9)}  ${target}`,
    );
  console.log(
    `node ${process.version}, median of ${rounds} rounds\n\n${''.padEnd(58)}${'ours'.padStart(12)}${'CPython'.padStart(12)}${'ratio'.padStart(9)}  target`,
  );
  const placements = [
    ['client and server on one core', 0, 0],
    ...(availableParallelism() > 1 ? [['a core each', 0, 1]] : []),
  ];

  /** Medians of ours and of the peer, whose rounds take turns. */
  const compare = async (name, client, server, peer, of = (result) => result) => {
    const [we, they] = [[], []];
    for (let i = 0; i < rounds; i++) {
      we.push(of(await ours(name, client, server, seconds)));
      if (peer !== null) they.push(python(peer, client, server, seconds));
    }
    return [median(we), they.includes(null) || they.length === 0 ? Number.NaN : median(they)];
  };

  if (wanted('calls')) {
    for (const [placement, client, server] of placements) {
      for (const name of ['get', 'set']) {
        const [we, they] = await compare(name, client, server, name);
        row(`dict ${name}, one at a time, ${placement}, /s`, we, they, '1.5x');
      }
      for (const name of ['getMany', 'setMany']) {
        const [we] = await compare(name, client, server, null);
        row(
          `dict ${name.slice(0, 3)}, ${IN_FLIGHT} in flight, ${placement}, /s`,
          we,
          Number.NaN,
          placement === 'a core each' ? '200,000' : '',
        );
      }
    }
  }
  if (wanted('make')) {
    const [we, they] = await compare('make', 0, availableParallelism() > 1 ? 1 : 0, 'make', (rate) => rate);
    row('a new list, us', 1e6 / we, 1e6 / they, 'at most 300');
  }
  if (wanted('start')) {
    const results = [];
    const they = [];
    for (let i = 0; i < rounds; i++) {
      results.push(await ours('start', null, null, Math.max(1, seconds)));
      they.push(python('start', null, null, seconds));
    }
    const of = (context, what) => median(results.map((result) => result[context][what]));
    for (const context of ['spawn', 'forkserver']) {
      row(`start of a process by ${context}, ms`, of(context, 'process'), Number.NaN, '');
      row(
        `start of a manager by ${context}, ms`,
        of(context, 'manager'),
        context === 'spawn' ? median(they) : Number.NaN,
        context === 'spawn' ? '' : '12',
      );
      row(`  of that of a process`, of(context, 'ratio'), Number.NaN, 'at most 1.3');
    }
  }
  if (wanted('clients')) {
    const results = [];
    const they = [];
    for (let i = 0; i < rounds; i++) {
      results.push(await ours('clients', null, null, Math.max(2, seconds)));
      they.push(python('clients', null, null, Math.max(2, seconds)));
    }
    row(`${CLIENTS} clients, get and set in turn, /s`, median(results.map(({ rate }) => rate)), median(they), '');
    row('  the slowest, of the mean', median(results.map(({ slowest }) => slowest)), Number.NaN, 'at least 0.5');
    row('  that failed', median(results.map(({ failed }) => failed)), Number.NaN, '0');
  }
  if (wanted('watch')) {
    const results = [];
    for (let i = 0; i < rounds; i++) results.push(await ours('watch', null, null, Math.max(2, seconds)));
    row(`changes that reach ${WATCHERS} watchers, /s`, median(results.map(({ rate }) => rate)), Number.NaN, '50,000');
    row('  missed', median(results.map(({ missed }) => missed)), Number.NaN, '');
  }
}

if (process.argv[2] === 'side') {
  const [, , , name, serverCore, seconds] = process.argv;
  process.stdout.write(JSON.stringify(await side(name, JSON.parse(serverCore), Number(seconds))), () =>
    process.exit(0),
  );
} else await main();
