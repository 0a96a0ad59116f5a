/**
 * Shared memory and shared values beside CPython: `node bench/shared-memory.js`, after `npm run build`.
 *
 * Each cell is the best of several rounds, in microseconds a call; ours and Python's rounds take turns, so that a busy machine
 * slows both. Pin it to one core with `taskset -c 0` to compare placements. `n/a` without python3.
 */
import { spawnSync } from 'node:child_process';
import { ShareableList, SharedMemory } from '../dist/shared-memory/index.js';
import { Value } from '../dist/sharedctypes/index.js';

const ROUNDS = 7;
const MIB = 1 << 20;

const value = new Value('i', 0);
const list = new ShareableList(['text', 1, 2.5, true]);
const block = SharedMemory.create(MIB);
const source = new Uint8Array(MIB).fill(7);
const plain = new Uint8Array(MIB);

/** Name, calls a round, ours, Python's statement, target in microseconds. */
const cells = [
  [
    'Value += 1 under its lock (updateSync)',
    200_000,
    () => value.updateSync((n) => n + 1),
    'with value.get_lock(): value.value += 1',
    0.4,
  ],
  ['Value += 1 under its lock (acquireSync, release)', 200_000, addOne, 'with value.get_lock(): value.value += 1', 0.4],
  ['ShareableList get of a number', 500_000, () => list.get(1), 'items[1]', 0.3],
  ['ShareableList set of a number', 500_000, (i) => list.set(1, i), 'items[1] = 5', 0.3],
  ['ShareableList get of a text', 200_000, () => list.get(0), 'items[0]'],
  ['ShareableList set of a text', 200_000, () => list.set(0, 'test'), "items[0] = 'test'"],
  ['SharedMemory create, close, unlink of 4 KiB', 500, createOne, 'create()', 60],
  ['copy 1 MiB into a warm block', 200, () => block.buf.set(source), 'block.buf[:] = source'],
  ['copy 1 MiB into private memory', 200, () => plain.set(source), 'plain[:] = source'],
];

function addOne() {
  value.acquireSync();
  value.value += 1;
  value.release();
}

function createOne() {
  const made = SharedMemory.create(4096);
  made.close();
  made.unlink();
}

const setup = `
import sys, timeit
from multiprocessing import Value, shared_memory
value = Value('i', 0)
items = shared_memory.ShareableList(['text', 1, 2.5, True])
block = shared_memory.SharedMemory(create=True, size=${MIB})
source = bytes([7]) * ${MIB}
plain = bytearray(${MIB})
def create():
    made = shared_memory.SharedMemory(create=True, size=4096)
    made.close()
    made.unlink()
statement, number = sys.argv[1], int(sys.argv[2])
print(min(timeit.repeat(statement, globals=globals(), number=number, repeat=2)) / number * 1e6)
for made in (items.shm, block):
    made.close()
    made.unlink()
`;

function ours(calls, run) {
  const began = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) run(i);
  return Number(process.hrtime.bigint() - began) / calls / 1000;
}

function python(statement, calls) {
  const { status, stdout } = spawnSync('python3', ['-c', setup, statement, String(calls)], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : Number.NaN;
}

const digits = (micros) => (Number.isNaN(micros) ? 'n/a' : micros.toFixed(micros < 10 ? 3 : 1));
console.log(`node ${process.version}, microseconds a call, best of ${ROUNDS} rounds\n`);
console.log(
  `${'call'.padEnd(50)}${'ours'.padStart(9)}${'CPython'.padStart(10)}${'ratio'.padStart(8)}${'target'.padStart(9)}`,
);
for (const [name, calls, run, statement, target] of cells) {
  let [mine, theirs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  ours(Math.min(calls, 20_000), run);
  for (let round = 0; round < ROUNDS; round++) {
    mine = Math.min(mine, ours(calls, run));
    if (round < 3) theirs = Math.min(theirs, python(statement, Math.max(50, calls / 10)));
  }
  const ratio = Number.isFinite(theirs) ? `${(theirs / mine).toFixed(1)}x` : 'n/a';
  console.log(
    `${name.padEnd(50)}${digits(mine).padStart(9)}${digits(theirs).padStart(10)}${ratio.padStart(8)}${(target === undefined ? '' : `<= ${target}`).padStart(9)}`,
  );
}
for (const shm of [list.shm, block]) {
  shm.close();
  shm.unlink();
}
