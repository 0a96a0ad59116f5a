import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors/index.js';
import { futexWait, futexWake, unmapMemory } from '../../src/native/index.js';
import { startFixture } from '../support/fixture-process.js';
import { mappedWords, sharedWords } from '../support/native-resources.js';

test('a wait on a word that differs ends as changed, without sleeping', () => {
  const { words } = sharedWords();
  words[5] = -7;
  expect(futexWait(words, 5, 0, Number.POSITIVE_INFINITY)).toBe('changed');
  expect(futexWait(words, 5, -7, 0)).toBe('timed-out');
});

test.each([1, 30, 250])('a wait of %i ms does not end earlier', (timeout) => {
  const { words } = sharedWords();
  const start = performance.now();
  expect(futexWait(words, 0, 0, timeout)).toBe('timed-out');
  expect(performance.now() - start).toBeGreaterThanOrEqual(timeout);
});

test('a wake without waiters wakes nobody', () => {
  const { words } = sharedWords();
  expect(futexWake(words, 0, Number.POSITIVE_INFINITY)).toBe(0);
  expect(futexWake(words, 0, 0)).toBe(0);
});

test.each(['sync', 'async'])('a wake reaches a %s wait of another process', async (kind) => {
  const { fd, words } = sharedWords();
  const child = startFixture('native/futex-wait.mjs', { args: [kind, Number.POSITIVE_INFINITY], fds: [fd] });
  expect(await child.line()).toBe('waiting');
  // Until it sleeps a wake finds nobody; with the word unchanged we can ask again.
  while (futexWake(words, 0, 1) === 0) await new Promise((done) => setImmediate(done));
  expect(await child.line()).toBe('woken');
  expect(await child.ended).toBe(0);
});

test('a wake reaches every process that waits, through any mapping of the block', async () => {
  const { fd } = sharedWords();
  const other = mappedWords(fd).words;
  const children = ['sync', 'async', 'sync'].map((kind) =>
    startFixture('native/futex-wait.mjs', { args: [kind, Number.POSITIVE_INFINITY], fds: [fd] }),
  );
  for (const child of children) await child.line();
  Atomics.store(other, 0, 1);
  futexWake(other, 0, Number.POSITIVE_INFINITY);
  for (const child of children) expect(await child.line()).toMatch(/woken|changed/);
});

test('two processes hand a turn back and forth 5,000 times and lose no wake', async () => {
  const { fd, words } = sharedWords();
  const rounds = 5_000;
  const child = startFixture('native/futex-rounds.mjs', { args: [rounds], fds: [fd] });
  for (let round = 0; round < rounds; round++) {
    Atomics.store(words, 0, 2 * round + 2);
    futexWake(words, 0, 1);
    while (Atomics.load(words, 1) === round) futexWait(words, 1, round, Number.POSITIVE_INFINITY);
  }
  expect(await child.ended).toBe(0);
});

test('waits and wakes work on a SharedArrayBuffer between worker threads', async () => {
  const words = new Int32Array(new SharedArrayBuffer(64));
  const native = new URL('../../dist/native/index.js', import.meta.url).href;
  const code = `
    import { parentPort, workerData } from 'node:worker_threads';
    import { futexWait } from ${JSON.stringify(native)};
    parentPort.postMessage(futexWait(workerData, 1, 0, Infinity));`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: words });
  const outcome = new Promise((done) => worker.once('message', done));
  while (futexWake(words, 1, 1) === 0) await new Promise((done) => setImmediate(done));
  expect(await outcome).toBe('woken');
  await worker.terminate();
});

test('invalid words, indexes and numbers are refused', () => {
  const { buffer, words } = sharedWords();
  const inf = Number.POSITIVE_INFINITY;
  for (const index of [-1, 1024, 0.5, Number.NaN, inf, '0'])
    expect(() => futexWake(words, index as number, 1)).toThrow(ArgumentError);
  expect(() => futexWake(words, 1024, 1)).toThrow('`index` must be an integer from 0 to 1023, not 1024');
  expect(() => futexWake(new Int32Array(4), 0, 1)).toThrow('lies in memory of this thread alone');
  expect(() => futexWake(new Uint32Array(buffer) as never, 0, 1)).toThrow('must be an Int32Array');
  expect(() => futexWake(undefined as never, 0, 1)).toThrow('must be an Int32Array');
  for (const count of [-1, Number.NaN, undefined])
    expect(() => futexWake(words, 0, count as number)).toThrow(ArgumentError);
  for (const timeout of [-1, Number.NaN, undefined, '5s']) {
    expect(() => futexWait(words, 0, 0, timeout as number)).toThrow(ArgumentError);
  }
  unmapMemory(buffer);
  expect(() => futexWait(words, 0, 0, inf)).toThrow('its memory was unmapped');
});
