/** The program's main file: functions of its own, and all cases. */
const { check, runCases } = require('./harness.cjs');
require('./all.cjs');

exports.triple = (x) => x * 3;
const ofMain = 2;

check('main file: an exported function', async (pool, same) => {
  same(await pool.apply(exports.triple, [2]), 6);
});
check('main file: a closure over its functions', async (pool, same) => {
  const { triple } = exports;
  same(await pool.map((x) => triple(x) + ofMain, [1, 2]), [5, 8]);
});

runCases().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
