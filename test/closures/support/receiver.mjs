// Rebuilds what stdin holds, uses it, sends it on once more within this process, and reports. Arguments: library, and `once` for not sending on.
import { readFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { decode, encode } from './table.mjs';

const library = await import(process.argv[2]);
const report = [];
for (const { title, table } of deserialize(readFileSync(0))) {
  const entry = { title };
  report.push(entry);
  try {
    const [value, use] = await decode(table, library);
    entry.child = await use(value);
  } catch (error) {
    entry.error = { code: error?.code, message: error?.message, stack: error?.stack };
    continue;
  }
  if (process.argv[3] === 'once') continue;
  try {
    // What was rebuilt is sent on, as to a grandchild, before it was used.
    const [value, use] = await decode(table, library);
    const [again, useAgain] = await decode(deserialize(serialize(encode([value, use], library))), library);
    entry.again = await useAgain(again);
  } catch (error) {
    entry.againError = { code: error?.code, message: error?.message, stack: error?.stack };
  }
}
process.stdout.write(
  serialize({
    report,
    loadedParser: Object.keys((await import('node:module')).createRequire(import.meta.url).cache).some((f) =>
      f.includes('/acorn/'),
    ),
  }),
);
