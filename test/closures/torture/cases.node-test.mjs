// Under `node --test`: every case in one test of the runner.
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import { Pool, ThreadPool } from 'multiprocess';
import { dumps, loads } from 'multiprocess/reduction';
import { groups } from './cases.mjs';
import { runCases } from './run-cases.mjs';

test('every case', async () => {
  const results = await runCases({ Pool, ThreadPool, dumps, loads }, groups, { thread: process.env.MP_THREAD });
  writeFileSync(process.env.MP_RESULT, JSON.stringify(results));
});
