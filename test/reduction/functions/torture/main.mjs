// A host's program: runs every case and writes what became of them to a file. Environment: MP_RESULT, MP_THREAD, MP_FILES, MP_SKIP.
import { writeFileSync } from 'node:fs';
import { Pool } from 'multiprocess';
import { dumps, loads, loadsAsync } from 'multiprocess/reduction';
import { groups } from './cases.mjs';
import { runCases } from './run-cases.mjs';

const { MP_RESULT, MP_THREAD, MP_FILES, MP_SKIP = '[]' } = process.env;
runCases({ Pool, dumps, loads, loadsAsync }, groups, { thread: MP_THREAD, files: MP_FILES !== 'no', skip: JSON.parse(MP_SKIP) }).then(
  (results) => {
    writeFileSync(MP_RESULT, JSON.stringify(results));
    process.exit(0);
  },
);
