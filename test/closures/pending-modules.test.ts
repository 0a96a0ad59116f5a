/** A module that never ends to load in a worker is named there. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const out = fileURLToPath(new URL('../../.build/pending-modules/', import.meta.url));

const MODULE = `
if (globalThis.isFirst !== true) await new Promise(() => {});
export const twice = (x) => x * 2;
`;

/** The call needs the module in the worker. */
const MAIN = `
import { Pool } from 'multiprocess';
globalThis.isFirst = true;
const { twice } = await import('./hanging.mjs');
const pool = new Pool({ processes: 1 });
console.log(await pool.apply(twice, [1], { timeout: 12_000 }).catch((error) => error.code));
await pool.terminate();
`;

test('A module whose await never settles is named, and a timeout ends the call', { timeout: 120_000 }, async () => {
  mkdirSync(out, { recursive: true });
  writeFileSync(`${out}hanging.mjs`, MODULE);
  writeFileSync(`${out}main.mjs`, MAIN);
  const child = spawn(process.execPath, [`${out}main.mjs`], { timeout: 100_000, killSignal: 'SIGKILL' });
  const [printed, warned] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(printed).toBe('MP_TIMEOUT\n');
  expect(warned.match(/MP_MODULE_PENDING.*/g)).toHaveLength(1);
  expect(warned).toContain('hanging.mjs');
});
