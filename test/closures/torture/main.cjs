// A host's program in CommonJS, with the cases of a CommonJS file.
const { writeFileSync } = require('node:fs');
const { Pool, ThreadPool } = require('multiprocess');
const { dumps, loads } = require('multiprocess/reduction');
const { cases } = require('../fixtures/commonjs.cjs');
const { cases: refusals } = require('../fixtures/commonjs-refusals.cjs');
const { runCases } = require('./run-cases.mjs');

const { MP_RESULT, MP_THREAD } = process.env;
runCases({ Pool, ThreadPool, dumps, loads }, { commonjs: cases, refusals }, { thread: MP_THREAD }).then((results) => {
  writeFileSync(MP_RESULT, JSON.stringify(results));
  process.exit(0);
});
