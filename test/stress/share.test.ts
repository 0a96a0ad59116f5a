/**
 * Shared values of all sizes are read by workers that are killed at random, written to there, handed on by them and
 * disposed of under way: what is read is what was shared, and in the end no memory is left.
 *
 * SHARE_STORM is the number of values (default 150), MULTIPROCESS_SEED repeats a run's choices.
 */
import { readFileSync } from 'node:fs';
import { Lock, Pool, type Shared, share, WorkerCrashError } from 'multiprocess';
import { expect, it } from 'vitest';
import { seeded } from '../support/seeded.js';
import { until } from '../support/until.js';

const VALUES = Number(process.env['SHARE_STORM'] ?? 150);

interface Content {
  readonly n: number;
  readonly doubles: Float64Array;
  readonly bytes: Uint8Array;
  readonly rows: readonly { readonly id: number; readonly text: string }[];
  readonly lock: Lock;
}

/** Says what is wrong with a value, then spoils this process's copy. It may be a spoiled one already. */
const check = (shared: Shared<Content>, n: number): string => {
  const { value } = shared;
  const { doubles, bytes, rows } = value;
  const first = doubles[0]!;
  if (value.n !== n || (first !== n && first !== -1)) return `${n}: it is ${value.n}, ${first}`;
  if (doubles.some((each) => each !== first)) return `${n}: its doubles differ`;
  if (bytes.some((each) => each !== n % 251)) return `${n}: its bytes differ`;
  if (rows.some(({ id, text }, i) => id !== i + n || text !== `row ${i}`)) return `${n}: its rows differ`;
  doubles.fill(-1);
  return '';
};

/** Bytes of memory files that this process has mapped. */
function mapped(): number {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes('memfd:multiprocess-arena'))
    .map(
      (line) =>
        line
          .split(' ')[0]!
          .split('-')
          .map((each) => Number.parseInt(each, 16)) as [number, number],
    )
    .reduce((sum, [from, to]) => sum + to - from, 0);
}

function collect(): void {
  for (const end of (globalThis as Record<symbol, (() => void)[] | undefined>)[
    Symbol.for('multiprocess.endTransits')
  ] ?? [])
    end();
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  (process.getBuiltinModule('node:vm').runInNewContext('gc') as () => void)();
}

/** A function of its own: what its frame holds is gone when it has returned. */
async function storm(): Promise<void> {
  const { random } = seeded('shared values: ');
  const make = (n: number): Shared<Content> => {
    const size = [1, 100, 9_000, 70_000, 400_000][random(5)]!;
    return share({
      n,
      doubles: new Float64Array(size).fill(n),
      bytes: new Uint8Array(size + random(5_000)).fill(n % 251),
      rows: Array.from({ length: random(300) }, (_, i) => ({ id: i + n, text: `row ${i}` })),
      lock: new Lock(),
    });
  };
  const pool = new Pool({ processes: 3, gracePeriod: 50 });
  const problems: string[] = [];
  const calls: Promise<void>[] = [];
  let kills = 0;
  let answers = 0;
  const note = async (call: Promise<string>): Promise<void> => {
    try {
      const problem = await call;
      answers++;
      if (problem !== '') problems.push(problem);
    } catch (error) {
      // Killed while it ran it, or before what it made had arrived.
      const isKill = error instanceof WorkerCrashError || String(error).includes('which sent it, has ended');
      if (!isKill) problems.push(String(error));
    }
  };
  const live: Shared<Content>[] = [];
  for (let n = 0; n < VALUES && problems.length === 0; n++) {
    const shared = make(n);
    live.push(shared);
    for (let i = 0; i < 4; i++) {
      const one = live[random(live.length)]!;
      const { n: number } = one.value;
      calls.push(note(random(2) === 0 ? pool.apply(check, [one, number]) : pool.apply(() => check(one, number))));
    }
    if (random(3) === 0) {
      // One that a worker has made comes here, spoiled there.
      calls.push(
        note(
          pool
            .apply((value: Content) => share({ ...value }), [{ ...make(n).value, lock: new Lock() }])
            .then((theirs) => {
              const problem = check(theirs, n);
              theirs.close();
              return problem;
            }),
        ),
      );
    }
    if (live.length > 8) live.splice(random(live.length), 1)[0]!.close();
    if (random(4) === 0) {
      const running = pool.stats().workers.filter(({ pid }) => pid !== null);
      const victim = running[random(running.length)];
      if (victim?.pid != null) {
        try {
          process.kill(victim.pid, 'SIGKILL');
          kills++;
        } catch {
          // It has ended already.
        }
      }
    }
    if (calls.length > 24) await Promise.all(calls.splice(0, 12));
  }
  await Promise.all(calls);
  for (const shared of live) shared.close();
  expect(problems).toEqual([]);
  expect(answers).toBeGreaterThan(VALUES);
  console.info(`shared values: ${VALUES}, ${answers} read, ${kills} kills`);
  await pool.terminate();
}

it('survive kills of those who read them', async () => {
  const before = mapped();
  await storm();
  await until(() => {
    collect();
    return mapped() <= before;
  }, 'the end of all memory');
}, 300_000);
