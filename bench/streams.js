/**
 * What the stream engine itself costs: an in-process backend whose work is a trivial function and which settles whole
 * chunks in one callback of the event loop, as a pool does.
 *
 *   npm run build && node bench/streams.js [items]
 *
 * Prints items per second, the median of five runs, for each consumer, order and chunk size.
 */
import { collect, runStream } from '../dist/streams/index.js';

const ITEMS = Number(process.argv[2] ?? 2_000_000);
const RUNS = 5;

/** Keeps up to `2 x parallelism` chunks and settles them all in one setImmediate. */
class InProcess {
  constructor(chunkSize, parallelism) {
    this.chunkSize = chunkSize;
    this.parallelism = parallelism;
  }

  open(sink) {
    const { chunkSize, parallelism } = this;
    let chunks = [];
    let armed = false;
    const settle = () => {
      armed = false;
      const batch = chunks;
      chunks = [];
      for (const { first, items } of batch) {
        for (let i = 0; i < items.length; i++) sink.value(first + i, items[i] + 1);
        sink.flush();
      }
    };
    return {
      parallelism,
      chunkSize,
      get room() {
        return 2 * parallelism - chunks.length;
      },
      get hungry() {
        return chunks.length < parallelism;
      },
      submit(first, items) {
        chunks.push({ first, items });
        if (!armed) {
          armed = true;
          setImmediate(settle);
        }
      },
      end() {},
      async cancel() {
        chunks = [];
      },
    };
  }
}

const consumers = {
  subscribe: (stream) =>
    new Promise((resolve, reject) => {
      let sum = 0;
      stream.subscribe({ next: (value) => (sum += value), error: reject, complete: () => resolve(sum) });
    }),
  'for await': async (stream) => {
    let sum = 0;
    for await (const value of stream) sum += value;
    return sum;
  },
  toArray: async (stream) => (await stream.toArray()).reduce((a, b) => a + b, 0),
  chained: (stream) => consumers.subscribe(runStream('bench', new InProcess(256, 2), stream)),
};

function* counting(n) {
  for (let i = 0; i < n; i++) yield i;
}

async function measure(name, run, expected) {
  const rates = [];
  for (let i = 0; i < RUNS + 1; i++) {
    const start = performance.now();
    const sum = await run();
    const seconds = (performance.now() - start) / 1000;
    if (sum !== expected) throw new Error(`${name}: ${sum} instead of ${expected}`);
    if (i > 0) rates.push(ITEMS / seconds);
  }
  rates.sort((a, b) => a - b);
  console.log(`${name.padEnd(44)} ${(rates[RUNS >> 1] / 1e6).toFixed(2).padStart(7)} M items/s`);
}

const numbers = Array.from({ length: ITEMS }, (_, i) => i);
const expected = (ITEMS * (ITEMS + 1)) / 2;
for (const chunk of [1, 32, 256]) {
  for (const ordered of [true, false]) {
    for (const [name, consume] of Object.entries(consumers)) {
      const label = `${name}, ${ordered ? 'ordered' : 'unordered'}, chunk ${chunk}`;
      const plus = name === 'chained' ? ITEMS : 0;
      const run = () => consume(runStream('bench', new InProcess(chunk, 2), counting(ITEMS), { ordered }));
      await measure(label, run, expected + plus);
    }
  }
  const gather = async () =>
    (await collect('bench', numbers, new InProcess(chunk, 2)).promise).reduce((a, b) => a + b, 0);
  await measure(`collect, chunk ${chunk}`, gather, expected);
}
