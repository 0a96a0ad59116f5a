/** A wait for a recursive lock leaves the promises of its process alone. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('async_hooks are off while RLock.acquire() waits and when it is released, and its continuation owns the lock', {
  timeout: 60_000,
}, async () => {
  const program = fileURLToPath(new URL('../fixtures/synchronize/waits-in-hooks.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 50_000 });
  expect(JSON.parse(stdout)).toEqual({ before: false, waiting: false, again: true, owned: true, after: false });
});
