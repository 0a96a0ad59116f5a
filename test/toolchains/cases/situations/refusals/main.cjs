/** Where processes, or the addon, are not to be had: each call says so at once, and what can work does. */
const { Pool, Process, ThreadPool } = require('multiprocess');
const { runCases } = require('./report.cjs');

const kinds = {
  Pool: () => new Pool({ processes: 1 }),
  'Pool by forkserver': () => new Pool({ processes: 1, context: 'forkserver' }),
  ThreadPool: () => new ThreadPool({ processes: 1 }),
};
const offset = 1;
const cases = {};
for (const [name, make] of Object.entries(kinds)) {
  const run = async () => {
    const pool = make();
    try {
      return await pool.apply((x) => x + offset, [1]);
    } finally {
      await pool.terminate();
    }
  };
  cases[name] = [run, 2];
}
cases.Process = [
  async () => {
    const child = await new Process(() => {}).start();
    return child.exited;
  },
  0,
];
cases['texts that help'] = [
  async () => {
    const texts = [];
    for (const [run] of [cases.Pool, cases.Process]) await run().catch((error) => texts.push(error.message));
    return texts.filter((text) => /npm rebuild|ulimit|\.\.(\s|$)/.test(text));
  },
  [],
];
runCases(cases);
