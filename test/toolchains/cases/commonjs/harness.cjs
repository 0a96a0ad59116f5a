/** Collects the cases, runs them one after another, and writes a line of JSON about each. */
const { appendFileSync } = require('node:fs');
const { Pool } = require('multiprocess');

const cases = [];
const CASE_LIMIT_MS = 20_000;

function check(name, run) {
  cases.push({ name, run });
}

function report(record) {
  appendFileSync(process.env.TOOLCHAIN_RESULTS, `${JSON.stringify(record)}\n`);
}

function same(actual, expected) {
  const [is, shouldBe] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== shouldBe) throw new Error(`is ${is}, should be ${shouldBe}`);
}

function limited(work) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('has not ended'), { code: 'HANGS' })), CASE_LIMIT_MS);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

function describe(error) {
  if (!(error instanceof Object)) return { message: String(error) };
  const { code, message, stack, cause } = error;
  return { code, message, stack, ...(cause === undefined ? {} : { cause: describe(cause) }) };
}

/** The first call starts a worker; each further function is new to the worker; the last ones are known to it. */
async function measure(pool) {
  const since = (start) => Math.round((performance.now() - start) * 100) / 100;
  const offset = 1;
  let start = performance.now();
  await pool.apply((x) => x + offset, [1]);
  const first = since(start);
  start = performance.now();
  await pool.apply((x) => x - offset, [1]);
  const next = since(start);
  const known = (x) => x * offset;
  await pool.apply(known, [1]);
  start = performance.now();
  for (let i = 0; i < 100; i++) await pool.apply(known, [i]);
  return { first, next, known: since(start) / 100 };
}

async function runCases() {
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
      if (error?.code === 'HANGS') {
        await limited(pool.terminate()).catch(() => {});
        pool = new Pool({ processes: 1 });
      }
    }
  }
  await pool.terminate();
  report({ end: process.pid });
}

module.exports = { check, report, runCases };
