/**
 * When a pool pays: the same jobs in this process and by two workers. A tool of its own, whose tables docs/guides/performance.md has:
 *
 *   node bench/pays.js [--rounds N]
 *
 * What counts is processor time, of this process and of each worker, so that other load changes little. With a CPU for each of them
 * the job is done when the busiest is; with one CPU less no sooner than when the CPUs have done all of it.
 * Contenders take turns within a round; the tables have medians of the rounds.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'multiprocess';
import { median } from './harness/statistics.js';

const at = process.argv.indexOf('--rounds');
const rounds = at < 0 ? 9 : Number(process.argv[at + 1]);
const WORKERS = 2;

/** Milliseconds of processor time that a process has used, all its threads together. */
function used(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}

/** Some microseconds of arithmetic. */
function spin(steps) {
  let sum = 0;
  for (let i = 0; i < steps; i++) sum += Math.sqrt(i);
  return sum;
}

const pool = new Pool({ processes: WORKERS });
await pool.map(spin, Array(1_000).fill(10_000));
spin(50_000_000);
const began = used('self');
spin(50_000_000);
const stepsPerMicrosecond = 50_000_000 / ((used('self') - began) * 1_000);

const workers = () => pool.stats().workers.map(({ pid }) => pid);

/** A row of a table: processor time alone, and with the pool that of this process and of the busiest worker. */
async function row(label, alone, pooled) {
  const times = { alone: [], here: [], there: [], all: [] };
  for (let round = -2; round < rounds; round++) {
    let before = used('self');
    await alone();
    const one = used('self') - before;
    const pids = workers();
    const at = pids.map(used);
    before = used('self');
    await pooled();
    const here = used('self') - before;
    const theirs = pids.map((pid, i) => used(pid) - at[i]);
    // The first ones compile.
    if (round < 0) continue;
    times.alone.push(one);
    times.here.push(here);
    times.there.push(Math.max(...theirs));
    times.all.push(theirs.reduce((sum, each) => sum + each, here));
  }
  const [one, here, there, all] = [times.alone, times.here, times.there, times.all].map(median);
  const ms = (time) => `${time.toFixed(time < 10 ? 1 : 0)} ms`;
  const busiest = Math.max(here, there);
  const faster = [busiest, Math.max(busiest, all / WORKERS)].map((time) => (one / time).toFixed(2));
  console.log(`| ${[label, ms(one), ms(here), ms(there), ...faster].join(' | ')} |`);
}
const HEAD =
  '| one process | here, with the pool | each worker | times as fast on 3 CPUs | on 2 |\n|---|---|---|---|---|---|';

console.log(
  `${cpus()[0].model}, ${cpus().length} CPUs, Node ${process.version}, ${WORKERS} workers, ${rounds} rounds\n`,
);
console.log(`| work an item, items ${HEAD}`);
for (const [label, microseconds, count] of [
  ['1 us', 1, 100_000],
  ['10 us', 10, 20_000],
  ['100 us', 100, 4_000],
  ['1 ms', 1_000, 400],
  ['10 ms', 10_000, 60],
]) {
  const items = Array(count).fill(Math.round(microseconds * stepsPerMicrosecond));
  await row(
    `${label}, ${count.toLocaleString('en')}`,
    () => items.map(spin),
    () => pool.map(spin, items),
  );
}

const folder = mkdtempSync(join(tmpdir(), 'pays-'));
const FILES = 16;
const ROWS = 12_500;
const files = Array.from({ length: FILES }, (_, file) => {
  const rows = Array.from({ length: ROWS }, (_, i) => `${file * ROWS + i},name ${i},${(i * 7) % 1000}.5,2026-01-01`);
  writeFileSync(join(folder, `${file}.csv`), `${rows.join('\n')}\n`);
  return join(folder, `${file}.csv`);
});
const parseLine = (line) => {
  const [id, name, price, day] = line.split(',');
  return { id: Number(id), name, price: Number(price), day };
};
const linesOf = (file) => readFileSync(file, 'utf8').trimEnd().split('\n');
const rowsOf = (file) => linesOf(file).map(parseLine);
const sumOf = (file) => rowsOf(file).reduce((sum, { price }) => sum + price, 0);

console.log(`\n${FILES} CSV files of ${ROWS.toLocaleString('en')} rows each\n\n| what comes back ${HEAD}`);
await row(
  'a sum for each file',
  () => files.map(sumOf),
  () => pool.map(sumOf, files, { chunkSize: 1 }),
);
await row(
  'every row, a file an item',
  () => files.map(rowsOf),
  () => pool.map(rowsOf, files, { chunkSize: 1 }),
);
await row(
  'every row, a line an item',
  () => files.map(rowsOf),
  async () => {
    for (const file of files) await pool.map(parseLine, linesOf(file));
  },
);
rmSync(folder, { recursive: true });
await pool.terminate();
