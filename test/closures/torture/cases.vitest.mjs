// Under vitest, whose module runner rewrites imports and compiles in a vm.
import { writeFileSync } from 'node:fs';
import { Pool, ThreadPool } from 'multiprocess';
import { dumps, loads } from 'multiprocess/reduction';
import { test } from 'vitest';
import { groups } from './cases.mjs';
import { runCases } from './run-cases.mjs';

test('every case', async () => {
  // The runner names files by path, so cases about their own file are left to the other hosts.
  const results = await runCases({ Pool, ThreadPool, dumps, loads }, groups, {
    thread: process.env.MP_THREAD,
    files: false,
  });
  writeFileSync(process.env.MP_RESULT, JSON.stringify(results));
}, 100_000);
