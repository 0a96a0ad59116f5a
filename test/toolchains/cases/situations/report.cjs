/** For programs of a few cases: runs each, and writes a line of JSON about it. */
const { appendFileSync } = require('node:fs');

const report = (record) => appendFileSync(process.env.TOOLCHAIN_RESULTS, `${JSON.stringify(record)}\n`);
const CASE_LIMIT_MS = 20_000;

async function limited(work) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('has not ended'), { code: 'HANGS' })), CASE_LIMIT_MS);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

/** `cases`: name -> a function that returns what should be `expected`. */
exports.runCases = async (cases) => {
  report({ start: process.pid, version: process.version });
  for (const [name, [run, expected]] of Object.entries(cases)) {
    try {
      const is = JSON.stringify(await limited(run()));
      if (is !== JSON.stringify(expected)) throw new Error(`is ${is}, should be ${JSON.stringify(expected)}`);
      report({ case: name, passed: true });
    } catch (error) {
      report({ case: name, passed: false, code: error.code, message: error.message, stack: error.stack });
    }
  }
  report({ end: process.pid });
};
/** What a call rejects with: its code. */
exports.codeOf = async (call) => {
  try {
    return { value: await call() };
  } catch (error) {
    return error.code ?? String(error);
  }
};
