/**
 * Queues of this library beside CPython's multiprocessing.Queue, with the same placement: all processes on one core, then one core each.
 *
 *   node bench/queues.js [rounds]
 *
 * Ours and the peer alternate; each figure is the median of the rounds (default 3). 100-byte objects and 1 MiB buffers from one
 * producer process to one consumer process, 2 x 2 of them on two cores, and the processor time of 100 waiting consumers.
 */
import { spawn, spawnSync } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Event, Queue, Semaphore } from 'multiprocess';
import { dumps, loads } from 'multiprocess/reduction';

const SELF = fileURLToPath(import.meta.url);
const SMALL = {
  id: 123456,
  name: 'a customer',
  price: 12.75,
  note: 'a line of text that makes this a hundred bytes long',
};
const MIB = 1 << 20;

const sides = {
  async put({ queue, count, size }) {
    const item = size === 0 ? SMALL : new Uint8Array(size);
    for (let i = 0; i < count; i++) await queue.put(item);
    queue.complete();
  },
  async iterate({ queue }) {
    let n = 0;
    for await (const _ of queue) n++;
    return n;
  },
  async get({ queue, count }) {
    for (let i = 0; i < count; i++) await queue.get();
    return count;
  },
  async getSync({ queue, count }) {
    for (let i = 0; i < count; i++) queue.getSync();
    return count;
  },
  async putSync({ queue, count, size }) {
    const item = size === 0 ? SMALL : new Uint8Array(size);
    for (let i = 0; i < count; i++) queue.putSync(item);
    queue.complete();
  },
};

if (process.argv[2] === 'side') {
  const task = loads(Buffer.from(process.argv[4], 'hex'));
  task.ready.release();
  await task.go.wait();
  const start = performance.now();
  const before = process.cpuUsage();
  const n = await sides[process.argv[3]](task);
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(
    JSON.stringify({
      n: n ?? 0,
      start: performance.timeOrigin + start,
      end: performance.timeOrigin + performance.now(),
      processor: ((user + system) * 1e3) / task.count,
    }),
  );
} else await main();

/** Items a second from all producers to all consumers. */
async function flow({ producers = 1, consumers = 1, count, size = 0, cores, put = 'put', take = 'iterate' }) {
  const queue = new Queue();
  const [ready, go] = [new Semaphore(0), new Event()];
  const bytes = Buffer.from(dumps({ queue, ready, go, count, size })).toString('hex');
  const run = (side, core) => {
    const child = spawn('taskset', ['-c', String(core), process.execPath, SELF, 'side', side, bytes], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (part) => (text += part));
    return new Promise((done) => child.once('close', () => done(JSON.parse(text))));
  };
  const all = [];
  for (let i = 0; i < producers; i++) all.push(run(put, cores[i % cores.length]));
  for (let i = 0; i < consumers; i++) all.push(run(take, cores[(i + 1) % cores.length]));
  for (const _ of all) await ready.acquire();
  go.set();
  const results = await Promise.all(all);
  queue.close();
  const seconds = (Math.max(...results.map(({ end }) => end)) - Math.min(...results.map(({ start }) => start))) / 1e3;
  if (process.env.BENCH_PROCESSOR)
    console.log(`  processor time an item, ns: ${results.map(({ processor }) => processor.toFixed(0)).join(', ')}`);
  const taken = results.reduce((sum, { n }) => sum + n, 0);
  if (taken !== producers * count) throw new Error(`${taken} items of ${producers * count} arrived`);
  return taken / seconds;
}

function python({ count, size = 0, cores }) {
  const script = `
import multiprocessing as mp, os, sys, time
count, size, a, b = [int(x) for x in sys.argv[1:]]
item = bytes(size) if size else {'id': 123456, 'name': 'a customer', 'price': 12.75, 'note': 'a line of text that makes this a hundred bytes long'}
def produce(q, go):
    os.sched_setaffinity(0, {a})
    go.wait()
    for i in range(count): q.put(item)
if __name__ == '__main__':
    q = mp.Queue(); go = mp.Event()
    p = mp.Process(target=produce, args=(q, go)); p.start()
    os.sched_setaffinity(0, {b})
    time.sleep(0.3)
    go.set(); s = time.perf_counter()
    for i in range(count): q.get()
    print(count / (time.perf_counter() - s))
    p.join()
`;
  const { stdout, status } = spawnSync(
    'python3',
    ['-c', script, ...[count, size, cores[0], cores.at(-1)].map(String)],
    {
      encoding: 'utf8',
      timeout: 120_000,
    },
  );
  return status === 0 ? Number(stdout) : null;
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

async function compare(name, unit, scale, ours, peer, rounds) {
  const [we, they] = [[], []];
  for (let i = 0; i < rounds; i++) {
    we.push((await ours()) * scale);
    const theirs = peer === null ? null : peer();
    if (theirs !== null) they.push(theirs * scale);
  }
  const value = median(we);
  const other =
    they.length === 0 ? '' : `   CPython ${median(they).toFixed(2)}   ratio ${(value / median(they)).toFixed(1)}`;
  console.log(`${name.padEnd(58)} ${value.toFixed(2).padStart(10)} ${unit}${other}`);
  return value;
}

async function main() {
  const rounds = Number(process.argv[2] ?? 3);
  const placements = { 'one core': [0], ...(availableParallelism() > 1 ? { 'a core each': [0, 1] } : {}) };
  for (const [placement, cores] of Object.entries(placements)) {
    const small = { count: 300_000, cores };
    const peer = () => python({ count: 40_000, cores });
    const one = await compare(`100 B, put -> for await, ${placement}`, 'k/s', 1e-3, () => flow(small), peer, rounds);
    await compare(`100 B, put -> get, ${placement}`, 'k/s', 1e-3, () => flow({ ...small, take: 'get' }), null, rounds);
    await compare(
      `100 B, putSync -> getSync, ${placement}`,
      'k/s',
      1e-3,
      () => flow({ ...small, put: 'putSync', take: 'getSync' }),
      null,
      rounds,
    );
    const two = await compare(
      `100 B, 2 producers x 2 consumers, ${placement}`,
      'k/s',
      1e-3,
      () => flow({ ...small, producers: 2, consumers: 2 }),
      null,
      rounds,
    );
    console.log(`  2 x 2 has ${((100 * two) / one).toFixed(0)} % of 1 x 1`);
    const large = { count: 1_000, size: MIB, cores };
    await compare(
      `1 MiB, put -> for await, ${placement}`,
      'GB/s',
      MIB / 1e9,
      () => flow(large),
      () => python({ ...large, count: 300 }),
      rounds,
    );
  }
  await idle();
}

/** Processor time of this process while 100 consumers wait for three seconds. */
async function idle() {
  const queue = new Queue();
  const gone = new AbortController();
  setMaxListeners(0, gone.signal);
  const waits = Array.from({ length: 100 }, () => queue.get({ signal: gone.signal }).catch(() => {}));
  await new Promise((done) => setTimeout(done, 500));
  const before = process.cpuUsage();
  await new Promise((done) => setTimeout(done, 3_000));
  const { user, system } = process.cpuUsage(before);
  console.log(`100 waiting consumers: ${((user + system) / 3e4).toFixed(2)} % of a core`);
  gone.abort();
  await Promise.all(waits);
  queue.close();
}
