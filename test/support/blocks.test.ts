import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { SharedMemory } from 'multiprocess/shared-memory';
import { expect, onTestFinished, test } from 'vitest';
import { ownBlocks } from './blocks.js';
import { startFixture } from './fixture-process.js';
import { until } from './until.js';

test('the leak check sees what this process and those it starts have made, by any name, and nothing of other programs', async () => {
  const foreign = `psm_${process.pid.toString(16).padStart(8, '0')}`;
  writeFileSync(`/dev/shm/${foreign}`, 'of another program');
  onTestFinished(() => rmSync(`/dev/shm/${foreign}`, { force: true }));
  const mine = SharedMemory.create(8, { name: `chosen by a user\n%41 ${process.pid}` });
  onTestFinished(() => rmSync(`/dev/shm/${mine.name}`, { force: true }));
  const child = startFixture('shared-memory/create.mjs', { args: [1, 'exit'] });
  const [, theirs] = (await child.line())!.split(' ');
  expect(ownBlocks().sort()).toEqual([mine.name, theirs!].sort());
  child.child.kill('SIGKILL');
  await child.ended;
  mine.close();
  mine.unlink();
  await until(() => ownBlocks().length === 0, 'what the child left is removed');
  expect(existsSync(`/dev/shm/${foreign}`)).toBe(true);
});
