/** Collects the cases of all files, runs them one after another, and writes a line of JSON about each. */
import { appendFileSync } from 'node:fs';
import { Pool } from 'multiprocess';

type Same = (actual: unknown, expected: unknown) => void;
type Run = (pool: Pool, same: Same) => unknown;

const cases: { name: string; run: Run }[] = [];
const CASE_LIMIT_MS = 20_000;

export function check(name: string, run: Run): void {
  cases.push({ name, run });
}

export function report(record: object): void {
  appendFileSync(process.env['TOOLCHAIN_RESULTS'] as string, `${JSON.stringify(record)}\n`);
}

function same(actual: unknown, expected: unknown): void {
  const [is, shouldBe] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== shouldBe) throw new Error(`is ${is}, should be ${shouldBe}`);
}

async function limited(work: unknown): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('has not ended'), { code: 'HANGS' })), CASE_LIMIT_MS);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

function describe(error: unknown): object {
  if (!(error instanceof Object)) return { message: String(error) };
  const { code, message, stack, cause } = error as Error & { code?: string };
  return { code, message, stack, ...(cause === undefined ? {} : { cause: describe(cause) }) };
}

/** The first call starts a worker; each further function is new to the worker; the last ones are known to it. */
async function measure(pool: Pool): Promise<object> {
  const since = (start: number) => Math.round((performance.now() - start) * 100) / 100;
  const offset = 1;
  let start = performance.now();
  await pool.apply((x: number) => x + offset, [1]);
  const first = since(start);
  start = performance.now();
  await pool.apply((x: number) => x - offset, [1]);
  const next = since(start);
  const known = (x: number) => x * offset;
  await pool.apply(known, [1]);
  start = performance.now();
  for (let i = 0; i < 100; i++) await pool.apply(known, [i]);
  return { first, next, known: since(start) / 100 };
}

export async function runCases(): Promise<void> {
  report({ start: process.pid, version: process.version, loaded: Math.round(performance.now()) });
  let pool = new Pool({ processes: 1 });
  await limited(measure(pool)).then(
    (timing) => report({ timing }),
    (error) => report({ timing: null, ...describe(error) }),
  );
  for (const { name, run } of cases) {
    const start = performance.now();
    try {
      await limited(run(pool, same));
      report({ case: name, passed: true, ms: Math.round(performance.now() - start) });
    } catch (error) {
      report({ case: name, passed: false, ...describe(error) });
      if ((error as { code?: string } | null)?.code === 'HANGS') {
        await limited(pool.terminate()).catch(() => {});
        pool = new Pool({ processes: 1 });
      }
    }
  }
  await pool.terminate();
  report({ end: process.pid });
}
