// A host's program: runs every case and writes what became of them to a file. Environment: MP_RESULT, MP_THREAD, MP_FILES, MP_SKIP, MP_THREADS.
import { writeFileSync } from 'node:fs';
import { Pool, ThreadPool } from 'multiprocess';
import { dumps, loads } from 'multiprocess/reduction';
import { groups } from './cases.mjs';
import { runCases } from './run-cases.mjs';

const { MP_RESULT, MP_THREAD, MP_FILES, MP_SKIP = '[]', MP_THREADS } = process.env;
runCases({ Pool, ThreadPool, dumps, loads }, groups, {
  thread: MP_THREAD,
  files: MP_FILES !== 'no',
  skip: JSON.parse(MP_SKIP),
  threads: MP_THREADS !== 'no',
}).then((results) => {
  writeFileSync(MP_RESULT, JSON.stringify(results));
  process.exit(0);
});
