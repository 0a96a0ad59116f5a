import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { awaitProcess, createPipe, Readiness, Ready, watchProcess } from '../../src/native/index.js';
import { startFixture } from '../support/fixture-process.js';
import { owned } from '../support/native-resources.js';

const pipe = () => createPipe().map(owned) as [number, number];
const turn = () => new Promise((done) => setImmediate(done));
const sleeper = () => spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });

test('a watch calls back again while bytes are there, and not when it does not want them', async () => {
  const [reads, writes] = pipe();
  let told = 0;
  let heard = () => {};
  const watch = new Readiness(reads, (events) => {
    expect(events & Ready.readable).not.toBe(0);
    if (++told === 3) {
      watch.want(0);
      heard();
    }
  });
  watch.want(Ready.readable);
  await turn();
  expect(told).toBe(0);
  const third = new Promise<void>((resolve) => {
    heard = resolve;
  });
  writeSync(writes, 'x');
  await third;
  for (let i = 0; i < 5; i++) await turn();
  expect(told).toBe(3);
  readSync(reads, new Uint8Array(1));
  watch.close();
  watch.close();
});

test('a watch that is unreferenced lets the event loop end', async () => {
  const held = startFixture('native/unheld-readiness.mjs');
  expect(await held.line()).toBe('end');
  expect(await held.ended).toBe(0);
});

test('watchProcess calls back once at the end of a process, and at once for one that has ended', async () => {
  const child = sleeper();
  const { pid } = child;
  expect(awaitProcess(pid!, 0)).toBe(false);
  const ended = new Promise<void>((resolve, reject) => {
    let told = 0;
    watchProcess(pid!, () => (++told === 1 ? resolve() : reject(new Error('told twice'))));
  });
  watchProcess(pid!, () => expect.unreachable('it was closed'))!.close();
  child.kill('SIGKILL');
  expect(awaitProcess(pid!, Number.POSITIVE_INFINITY)).toBe(true);
  await ended;
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(watchProcess(pid!, () => {})).toBeNull();
  expect(awaitProcess(pid!, 1)).toBe(true);
});
