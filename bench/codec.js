/**
 * The codec against v8.serialize, JSON and msgpackr alone: `node bench/codec.js`, after `npm run build`.
 *
 * Each cell is the median of many short batches, in microseconds a call. The contenders take turns within every round, so
 * that a busy machine slows all of them; compare within a row. `--best` prints the fastest batch instead, which means
 * more while other programs run. `n/a` where a format cannot carry the value.
 * An encoded message is written into a buffer of the receiver's, as a ring would have it; the others return theirs.
 */
import v8 from 'node:v8';
import { Packr } from 'msgpackr';
import { Decoder, dumps, Encoder, loads } from '../dist/reduction/index.js';

const ROUNDS = 101;
const BATCH_MS = 1;
const WARM_MS = 60;
const BEST = process.argv.includes('--best');

const list = (length, make) => Array.from({ length }, (_, i) => make(i));

const records = list(75, (i) => ({
  id: i,
  name: `user number ${i}`,
  active: i % 2 === 0,
  score: i * 1.37,
  email: `user${i}@example.com`,
  tags: ['a', 'b'],
  at: 1_700_000_000_000 + i,
}));
const flat = list(100, (i) => ({
  id: i,
  name: `user number ${i}`,
  active: i % 2 === 0,
  score: i * 1.37,
  email: `user${i}@example.com`,
  city: 'Zurich',
  visits: i * 1000,
  at: 1_700_000_000_000 + i,
}));
const dated = list(75, (i) => ({
  id: i,
  name: `user number ${i}`,
  active: i % 2 === 0,
  score: i * 1.37,
  born: new Date(1.6e12 + i),
  seen: new Date(1.7e12 + i * 1000),
}));
const nested = list(60, (i) => ({
  id: i,
  user: { name: `user number ${i}`, address: { street: `street ${i}`, zip: 8000 + i } },
  state: { on: true, level: i * 1.5 },
}));
const shared = { id: 1, name: 'shared' };

const values = {
  'small int': 5,
  undefined: undefined,
  double: 1.5,
  'short string': 'hello world',
  '[1, 2, 3]': [1, 2, 3],
  'object of 3': { a: 1, b: 'x', c: true },
  'object, 100 B': {
    id: 123_456,
    name: 'a name of somebody',
    ok: true,
    score: 1.25,
    email: 'somebody@example.com',
    n: [1, 2, 3],
  },
  '100 records, 10 kB': flat,
  '75 records, lists': records,
  '75 records, dates': dated,
  '60 records, nested': nested,
  '10k ints': list(10_000, (i) => i * 7),
  '10k doubles': list(10_000, (i) => i * 1.7),
  '200 strings, ASCII': list(200, (i) => `a string of some length, number ${i}`),
  '200 strings, umlauts': list(200, (i) => `ein Text mit Ümläuten, Nummer ${i}`),
  '200 strings, CJK': list(200, (i) => `短い文字列 ${i}`),
  'Map of 100': new Map(records.map((record) => [record.name, record.score])),
  'shared, 100 refs': list(100, () => shared),
  'Float64Array, 1 MiB': new Float64Array(131_072).fill(1.5),
};

const packr = new Packr();
const contenders = {
  codec: codec(),
  dumps: { serialize: dumps, deserialize: loads },
  v8: v8,
  msgpackr: { serialize: (v) => packr.pack(v), deserialize: (b) => packr.unpack(b) },
  JSON: json(),
};

function codec() {
  const encoder = new Encoder();
  const decoder = new Decoder();
  const ring = new Uint8Array(4 * 1024 * 1024);
  return {
    serialize(value) {
      encoder.encode(value);
      return encoder.layout(ring, 0);
    },
    deserialize: (end) => decoder.decode(ring, 0, end),
  };
}

function json() {
  const carries = (value) =>
    value === null || (typeof value !== 'undefined' && !(value instanceof Map) && !ArrayBuffer.isView(value));
  return { serialize: (v) => JSON.stringify(v), deserialize: (text) => JSON.parse(text), carries };
}

function batch(run, count) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) run();
  return Number(process.hrtime.bigint() - start) / 1000 / count;
}

/** How many calls make a batch, found after a warm-up long enough for the optimising compiler. */
function countFor(run) {
  const until = performance.now() + WARM_MS;
  while (performance.now() < until) batch(run, 20);
  return Math.max(1, Math.min(50_000, Math.round((BATCH_MS * 1000) / batch(run, 20))));
}

/** Runs them in turns and returns the median time of each, or the best. */
function race(runs) {
  const times = runs.map(() => []);
  const counts = runs.map(countFor);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, run] of runs.entries()) times[i].push(batch(run, counts[i]));
  }
  return times.map((each) => each.sort((a, b) => a - b)[BEST ? 0 : ROUNDS >> 1]);
}

function measure(value) {
  const names = Object.keys(contenders).filter((name) => contenders[name].carries?.(value) !== false);
  const encode = race(names.map((name) => () => contenders[name].serialize(value)));
  const bytes = names.map((name) => contenders[name].serialize(value));
  const decode = race(names.map((name, i) => () => contenders[name].deserialize(bytes[i])));
  return Object.fromEntries(names.map((name, i) => [name, { encode: encode[i], decode: decode[i] }]));
}

const show = (cell) => (cell === undefined ? 'n/a' : `${cell.encode.toFixed(3)} / ${cell.decode.toFixed(3)}`);
const sum = (cell) => (cell === undefined ? Number.POSITIVE_INFINITY : cell.encode + cell.decode);
const columns = [22, 18, 18, 18, 18, 18, 7, 7, 7];
const row = (cells) =>
  console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(columns[i]) : cell.padStart(columns[i]))).join(''));

console.log(`Node ${process.version}; microseconds, encode / decode; ratio = codec / other, both ways together`);
row(['', 'codec', 'dumps/loads', 'v8', 'msgpackr', 'JSON', '/ v8', '/ mp', '/ JSON']);
for (const [name, value] of Object.entries(values)) {
  const cells = measure(value);
  const { codec: ours } = cells;
  const ratio = (other) => (other === undefined ? 'n/a' : (sum(ours) / sum(other)).toFixed(2));
  row([
    name,
    ...[ours, cells.dumps, cells.v8, cells.msgpackr, cells.JSON].map(show),
    ...[cells.v8, cells.msgpackr, cells.JSON].map(ratio),
  ]);
}

const source = new Float64Array(131_072).fill(1.5);
const target = new Float64Array(131_072);
const [copy, fresh] = race([() => target.set(source), () => source.slice()]);
console.log(`\nmemcpy of 1 MiB: ${copy.toFixed(1)} into memory in use, ${fresh.toFixed(1)} into fresh memory`);
