/** Values that are reduced in the test runner's own process, and rebuilt in a child or here. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import * as library from '../../../src/closures/index.js';
import { compileLibrary } from './compiled.js';
import { decode, encode } from './table.mjs';

/** Sends `value` to a child, which uses it. The result of `use` comes back. */
export function throughChild<T, R>(
  value: T,
  use: (value: T) => R,
): { readonly result: Awaited<R>; readonly loadedParser: boolean } {
  const receiver = fileURLToPath(new URL('./receiver.mjs', import.meta.url));
  const input = serialize([{ title: 'only', table: encode([value, use], library) }]);
  const env = { ...process.env, NODE_NO_WARNINGS: '1', NODE_OPTIONS: '' };
  const child = spawnSync(process.execPath, [receiver, compileLibrary(), 'once'], {
    env,
    input,
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  if (child.status !== 0) throw new Error(`The receiver ended with ${child.status ?? child.signal}.\n${child.stderr}`);
  const { report, loadedParser } = deserialize(child.stdout);
  if (report[0].error !== undefined)
    throw Object.assign(new Error(report[0].error.message), { code: report[0].error.code });
  return { result: report[0].child, loadedParser };
}

/** Sends `value` to this very process. */
export async function throughHere<T>(value: T): Promise<T> {
  return (await decode(deserialize(serialize(encode([value], library))), library))[0];
}
