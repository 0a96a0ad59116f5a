/**
 * A table bound to shared state: processes write how far they are into a dict of a manager, and this one shows it as it changes.
 *
 *   npm run build && node .build/examples/board/main.js [jobs]
 *
 * The table knows nothing of processes, and the processes nothing of the table: what binds them is `watch()`.
 */
import { manager, Pool } from 'multiprocess';
import { auditTime, takeWhile } from 'rxjs';
import { replica } from './replica.js';
import { Screen } from './screen.js';
import { finished, type Job, table } from './table.js';

const STEPS = 25;
/** A screen is redrawn no more often than this, ms; in between the dict may change as often as it likes. */
const FRAME = 50;

const count = Number(process.argv[2] ?? 6);

await using m = await manager();
const jobs = await m.dict<string, Job>();

const screen = new Screen(process.stdout);
const shown = new Promise<void>((resolve, reject) => {
  replica(jobs.watch())
    .pipe(
      takeWhile((state) => !finished(state, count), true),
      auditTime(FRAME),
    )
    .subscribe({ next: (state) => screen.show(table(state)), error: reject, complete: resolve });
});

const pool = new Pool({ processes: 2 });
const work = async (name: string) => {
  for (let done = 0; done <= STEPS; done++) {
    await jobs.set(name, { pid: process.pid, done, of: STEPS });
    await new Promise((resolve) => setTimeout(resolve, 10)); // the work itself
  }
};
await pool.map(
  work,
  Array.from({ length: count }, (_, i) => `job ${i + 1}`),
  { chunkSize: 1 },
);
await shown;
screen.show(table(await jobs.getValue()));
screen.end();
pool.close();
await pool.join();
