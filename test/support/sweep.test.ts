import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startFixture } from './fixture-process.js';
import { sweep } from './sweep.js';

test('what a killed process of a run left is removed, and nothing that belongs to a living one or to others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'multiprocess-sweep-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { child, ended } = startFixture('shared-memory/create.mjs', { args: [1, 'exit'] });
  const theirs = [`multiprocess-names-${child.pid}-1796000820930.83.log`, `multiprocess-watched-${child.pid}`];
  const others = [
    `multiprocess-names-${process.pid}-1.log`,
    'multiprocess-names-1-1.log',
    'multiprocess-names-0-1.log',
    `multiprocess-names-${child.pid}-1.log.txt`,
    `other-names-${child.pid}-1.log`,
  ];
  for (const name of [...theirs, ...others]) writeFileSync(join(folder, name), '');
  expect(sweep(folder)).toEqual([]);
  child.kill('SIGKILL');
  await ended;
  expect(sweep(folder).sort()).toEqual(theirs.sort());
  expect(readdirSync(folder).sort()).toEqual(others.sort());
});
