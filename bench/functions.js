/**
 * What sending functions costs: `node bench/functions.js`, after `npm run build`.
 *
 * Microseconds a call, the best of several batches; a ratio is that of two best ones. Each row has its target; rows without one
 * are for information. The hot loop and the await loop compare two things in turns, so that a busy machine slows both.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool, share } from '../dist/index.js';
import { CodeBook, CodeTable, codeBlock, Decoder, dumps, Encoder, loads } from '../dist/reduction/index.js';

const ROUNDS = 9;
const rows = [];

function time(run, count) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) run(i);
  return Number(process.hrtime.bigint() - start) / 1000 / count;
}

function best(run, count) {
  time(run, count);
  return Math.min(...Array.from({ length: ROUNDS }, () => time(run, count)));
}

function row(what, value, target, unit = 'us') {
  const verdict =
    target === undefined ? '' : value <= target ? `at most ${target}: reached` : `at most ${target}: MISSED`;
  rows.push([what, `${value.toFixed(unit === 'us' ? 1 : 3)} ${unit}`, verdict]);
}

// ---- the first

const K = 4;
const helper = (x) => x * K;
const first = performance.now();
dumps((x) => helper(x) + K);
row('first dumps of a closure in this process', (performance.now() - first) * 1000);

// ---- the first, in a bundle of 4 MB

const FUNCTIONS = 40_000;
const folder = mkdtempSync(join(tmpdir(), 'multiprocess-bench-'));
const bundle = join(folder, 'bundle.cjs');
const lines = Array.from(
  { length: FUNCTIONS },
  (_, i) => `function f${i}(K, helper) { let own = K; own += helper(${i}); return [own, { K }]; }`,
);
lines.push('const K = 4; const helper = (x) => x * K;');
lines.push('exports.closure = (dumps, scale) => dumps((x) => helper(x) * K + scale); exports.keep = [f0];');
writeFileSync(bundle, lines.join('\n'));
const { closure: bundled } = createRequire(import.meta.url)(bundle);
const firstBundled = performance.now();
bundled(dumps, 2);
row('first dumps of a closure in a bundle of 4 MB', (performance.now() - firstBundled) * 1000);
rmSync(folder, { recursive: true });

// ---- dumps

const free = (x) => x + 1;
row(
  'dumps, no captures, the same function',
  best(() => dumps(free), 2_000),
  30,
);
row(
  'dumps, no captures, a fresh function each',
  best(() => dumps((x) => x + 1), 2_000),
  500,
);
const closure = (x) => helper(x) + K;
row(
  'dumps, constant captures, the same function',
  best(() => dumps(closure), 2_000),
  500,
);
row(
  'dumps, constant captures, a fresh function each',
  best(() => dumps((x) => helper(x) + K), 200),
  500,
);
let moving = 1;
const mutable = (x) => x + moving;
function dumpsMoved() {
  moving++;
  dumps(mutable);
}
row('dumps, a captured variable', best(dumpsMoved, 200), 500);
const text = Array.from({ length: 200 }, (_, i) => new Function('x', `return x + ${i}`));
row(
  'dumps, new Function, another text each',
  time((i) => dumps(text[i]), 200),
);
const closures = Array.from({ length: 20 }, (_, i) => new Function(`return (c) => (x) => x + c + ${i}`)()(i));
row(
  'dumps, closure made by new Function, another text each',
  time((i) => dumps(closures[i]), 20),
);

// ---- loads

const freeBytes = dumps(free);
const closureBytes = dumps(closure);
row(
  'loads, a known function',
  best(() => loads(freeBytes), 2_000),
  30,
);
row(
  'loads, a known function with a helper and a constant',
  best(() => loads(closureBytes), 2_000),
);
row(
  'loads, another text each',
  time((i) => loads(dumps(text[i])), 200),
);

// ---- code once, captures each time: what a pool sends

const scaled = (factor, label) => (x) => {
  const y = helper(x) * factor;
  return label === '' ? y : `${label}: ${y}`;
};
const whole = new Encoder();
const coded = new Encoder(new CodeBook());
row('closure with other captures each: bytes, self-contained', whole.encode(scaled(7, 'a')).total, undefined, 'B');
const named = coded.encode(scaled(7, 'a'));
row('the same, code sent before: bytes', named.total, undefined, 'B');
row(
  'the same: encode',
  best((i) => coded.encode(scaled(i, 'a')), 200),
);
const codedBytes = new Uint8Array(coded.encode(scaled(7, 'a')).total);
coded.layout(codedBytes, 0);
const records = new CodeTable();
const block = codeBlock(named.codes);
records.learn(block, 0, block.length);
const decoder = new Decoder();
row(
  'the same: decode',
  best(() => decoder.decode(codedBytes, 0, codedBytes.length, false, records), 2_000),
);
const wholeBytes = dumps(scaled(7, 'a'));
row(
  'self-contained: decode',
  best(() => loads(wholeBytes), 2_000),
);

// ---- native speed

const hot = (n) => {
  let sum = 0;
  for (let i = 0; i < n; i++) sum = (sum + helper(i) * K) | 0;
  return sum;
};
const rebuilt = loads(dumps(hot));
const N = 3_000_000;
hot(N);
rebuilt(N);
const own = [];
const ours = [];
for (let i = 0; i < 40; i++) {
  own.push(time(() => hot(N), 1));
  ours.push(time(() => rebuilt(N), 1));
}
row('hot loop, rebuilt against the original', Math.min(...ours) / Math.min(...own), 1.05, 'x');

// ---- no debugger left on

async function awaitLoop() {
  const start = performance.now();
  for (let i = 0; i < 200_000; i++) await i;
  return performance.now() - start;
}
await awaitLoop();
const before = [];
const after = [];
class Sender {
  by = 2;
  send() {
    return dumps((x) => x * this.by);
  }
}
// All before the first of a kind, then with sending in between.
for (let i = 0; i < 9; i++) before.push(await awaitLoop());
for (let i = 0; i < 9; i++) {
  dumps((x) => helper(x));
  new Sender().send();
  dumps(new Function('c', `return (x) => x + c + ${i}`)(1));
  after.push(await awaitLoop());
}
row('await loop after sending, against before', Math.min(...after) / Math.min(...before), 1.05, 'x');

// ---- through a pool

const pool = new Pool({ processes: 1 });
const CALLS = 10_000;
async function calls(fn) {
  const start = performance.now();
  for (let left = CALLS; left > 0; left -= 200)
    await Promise.all(Array.from({ length: 200 }, (_, i) => pool.apply(fn, [i])));
  return ((performance.now() - start) * 1000) / CALLS;
}
await calls(free);
await calls(closure);
const plain = [];
const captured = [];
for (let i = 0; i < 15; i++) {
  plain.push(await calls(free));
  captured.push(await calls(closure));
}
row(
  `${CALLS} calls of a closure, against a function without captures`,
  Math.min(...captured) / Math.min(...plain),
  1.25,
  'x',
);
row('a call of the same closure', Math.min(...captured), 30);
row('a call of a fresh closure each', Math.min(await callsOfFresh(), await callsOfFresh(), await callsOfFresh()), 500);

// ---- what a function captures against the same as an argument, in turns

const TABLE_ROWS = 60_000;
const table = Array.from({ length: TABLE_ROWS }, (_, i) => ({
  id: i,
  name: `row ${i}`,
  value: i * 1.5,
  even: i % 2 === 0,
}));
const doubles = new Float64Array(4 << 20).fill(1.5);
const sizeOf = (values) => values.length;

/** Medians in microseconds of `count` calls each, in turns. */
async function inTurns(count, ...contenders) {
  const times = contenders.map(() => []);
  for (let i = -2; i < count; i++) {
    for (const [which, contender] of contenders.entries()) {
      const start = performance.now();
      await contender();
      if (i >= 0) times[which].push((performance.now() - start) * 1000);
    }
  }
  return times.map((each) => each.sort((a, b) => a - b)[count >> 1]);
}

for (const [what, capturing, value] of [
  [`${TABLE_ROWS} rows`, () => table.length, table],
  ['a Float64Array of 32 MiB', () => doubles.length, doubles],
]) {
  const [asCapture, asArgument] = await inTurns(
    15,
    () => pool.apply(capturing),
    () => pool.apply(sizeOf, [value]),
  );
  row(`${what} as an argument, a call`, asArgument);
  row(`${what} captured, against that`, asCapture / asArgument, 1.2, 'x');
}
for (const [what, value] of [
  [`${TABLE_ROWS} rows`, table],
  ['a Float64Array of 32 MiB', doubles],
]) {
  const shared = share(value);
  const [asShared, asArgument] = await inTurns(
    15,
    () => pool.apply(() => shared.value.length),
    () => pool.apply(sizeOf, [value]),
  );
  row(`${what} through share, against an argument`, asShared / asArgument, 0.1, 'x');
  shared.close();
}
await pool.terminate();

async function callsOfFresh() {
  const start = performance.now();
  for (let i = 0; i < 1_000; i++) await pool.apply((x) => helper(x) + K, [i]);
  return performance.now() - start;
}

console.log(`Node ${process.version}`);
for (const [what, value, verdict] of rows) console.log(`${what.padEnd(62)}${value.padStart(12)}   ${verdict}`);
