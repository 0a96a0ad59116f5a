/**
 * Two builds of this library beside each other: what a change costs.
 *
 *   node bench/compare.js BEFORE [AFTER] [--rounds 5] [--seconds 1] [--only NAME]
 *
 * BEFORE and AFTER are folders with a built dist/; AFTER is this one by default. Each workload of each build runs in a process of its own; builds
 * take turns within a round, the one that begins changes from round to round. The table has medians, and the median of the ratios within
 * the rounds. Milliseconds: less is better; rates: more is.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './harness/statistics.js';

const SELF = fileURLToPath(import.meta.url);
const here = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** Calls of `step` a second, `width` of them under way. */
async function rate(seconds, width, step) {
  const run = async (time) => {
    const end = performance.now() + time;
    let done = 0;
    const lane = async () => {
      while (performance.now() < end) {
        await step();
        done++;
      }
    };
    const start = performance.now();
    await Promise.all(Array.from({ length: width }, lane));
    return (done / (performance.now() - start)) * 1000;
  };
  await run(300);
  return run(seconds * 1000);
}

async function withPool(library, options, body) {
  const pool = new library.Pool({ processes: 2, ...options });
  await pool.apply((x) => x, [1]);
  const result = await body(pool);
  await pool.terminate();
  return result;
}

/** Items a second of a stream. */
async function stream(library, source, items, take) {
  return withPool(library, {}, async (pool) => {
    await take(pool.imapUnordered((x) => x?.id ?? x, source(items / 10)));
    const start = performance.now();
    await take(pool.imapUnordered((x) => x?.id ?? x, source(items)));
    return (items / (performance.now() - start)) * 1000;
  });
}
const pushed = (results) => new Promise((resolve, reject) => results.subscribe({ error: reject, complete: resolve }));
const pulled = async (results) => {
  for await (const _ of results);
};
const nothing = () => {};
const identity = (x) => x;
const idOf = (x) => x.id;
const numbers = (n) => Array.from({ length: n }, (_, i) => i);
const records = (n) => numbers(n).map((id) => ({ id, name: 'row', open: true }));
function* generated(n) {
  for (let id = 0; id < n; id++) yield { id, name: 'row', open: true };
}

const started = async (library, method) => {
  const one = async () => {
    const child = await new library.Process(() => {}, { context: method }).start();
    await child.join();
  };
  await one();
  const times = [];
  for (let i = 0; i < 7; i++) {
    const start = performance.now();
    await one();
    times.push(performance.now() - start);
  }
  return median(times);
};

/** Each answers with a number; `ms` and `MiB` are better when they are less. */
const workloads = {
  'node -e 0, ms': async () => {
    const start = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    return performance.now() - start;
  },
  'import, ms': async (_library, { loaded }) => loaded,
  'spawn to exit, ms': (library) => started(library, 'spawn'),
  'forkserver to exit, ms': (library) => started(library, 'forkserver'),
  'thread to exit, ms': (library) => started(library, 'thread'),
  'pool of 2 to its first result, ms': async (library) => {
    const start = performance.now();
    return withPool(library, {}, async () => performance.now() - start);
  },
  'resident memory of a worker, MiB': (library) =>
    withPool(library, {}, async (pool) => (await pool.apply(() => process.memoryUsage().rss)) / 2 ** 20),
  'apply, no arguments, 256 in flight, /s': (library, { seconds }) =>
    withPool(library, {}, (pool) => rate(seconds, 256, () => pool.apply(nothing))),
  'apply, a number, 256 in flight, /s': (library, { seconds }) =>
    withPool(library, {}, (pool) => rate(seconds, 256, () => pool.apply(identity, [1]))),
  'apply, a record, 256 in flight, /s': (library, { seconds }) =>
    withPool(library, {}, (pool) => rate(seconds, 256, () => pool.apply(idOf, [{ id: 1, name: 'row' }]))),
  'apply, one in flight, /s': (library, { seconds }) =>
    withPool(library, {}, (pool) => rate(seconds, 1, () => pool.apply((x) => x, [1]))),
  'imapUnordered, numbers, subscribed, /s': (library) => stream(library, numbers, 1_000_000, pushed),
  'imapUnordered, numbers, for await, /s': (library) => stream(library, numbers, 1_000_000, pulled),
  'imapUnordered, array of records, /s': (library) => stream(library, records, 300_000, pushed),
  'imapUnordered, generator of records, /s': (library) => stream(library, generated, 300_000, pushed),
  'queue, put and get here, /s': async (library, { seconds }) => {
    const queue = new library.Queue();
    const result = await rate(seconds, 16, async () => {
      await queue.put(1);
      await queue.get();
    });
    queue.close();
    return result;
  },
  'pipe, send and receive here, /s': async (library, { seconds }) => {
    const [one, other] = library.pipe();
    const result = await rate(seconds, 16, async () => {
      await one.send('x');
      await other.recv();
    });
    one.close();
    other.close();
    return result;
  },
  'lock, acquire and release, /s': async (library, { seconds }) => {
    const lock = new library.Lock();
    return rate(seconds, 1, async () => {
      await lock.acquire();
      lock.release();
    });
  },
};

if (process.argv[2] === 'side') {
  const [, , , root, name, seconds] = process.argv;
  const start = performance.now();
  const library = await import(pathToFileURL(`${root}/dist/index.js`).href);
  const loaded = performance.now() - start;
  console.log(`result ${await workloads[name](library, { loaded, seconds: Number(seconds) })}`);
  process.exit();
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const [before, after = here] = positionals;
if (before === undefined) {
  console.error('compare: name the folder of the other build: node bench/compare.js ../before');
  process.exit(2);
}
const side = (root, name) => {
  const { stdout, stderr } = spawnSync(process.execPath, [SELF, 'side', root, name, values.seconds], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  const found = /^result (.*)$/m.exec(stdout);
  if (found === null) throw new Error(`${name} in ${root} gave no result: ${stderr}`);
  return Number(found[1]);
};
const show = (x) => (x >= 1000 ? Math.round(x).toLocaleString('en') : x.toPrecision(3));
console.log(
  `Node ${process.version}, ${values.rounds} rounds, medians\n\n| | before | after | after / before |\n|---|---|---|---|`,
);
for (const name of Object.keys(workloads)) {
  if (values.only !== undefined && !name.includes(values.only)) continue;
  const rounds = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const order = round % 2 === 0 ? [before, after] : [after, before];
    const results = Object.fromEntries(order.map((root) => [root, side(root, name)]));
    rounds.push([results[before], results[after]]);
  }
  const [first, second, ratio] = [rounds.map(([a]) => a), rounds.map(([, b]) => b), rounds.map(([a, b]) => b / a)].map(
    median,
  );
  console.log(`| ${name} | ${show(first)} | ${show(second)} | ${ratio.toFixed(2)} |`);
}
