import { fstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test } from 'vitest';
import { ArgumentError, ClosedError, MultiprocessError } from '../../src/errors/index.js';
import {
  descriptorSize,
  mapMemory,
  openSharedMemory,
  releasePages,
  unlinkSharedMemory,
  unmapMemory,
} from '../../src/native/index.js';
import { startFixture } from '../support/fixture-process.js';
import { mappedWords, owned, sharedWords } from '../support/native-resources.js';

const name = `multiprocess-test-${process.pid}`;
afterEach(() => {
  if (readdirSync('/dev/shm').includes(name)) unlinkSharedMemory(name);
});

test('a block shows its name in /proc and has the size asked for', () => {
  const { fd } = sharedWords(1024);
  expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe('/memfd:multiprocess-test (deleted)');
  expect(descriptorSize(fd)).toBe(4096);
});

test('pages that are released are zero again and belong to the system, and the block keeps its size', () => {
  const { fd, words } = sharedWords(4 * 1024);
  words.fill(7);
  releasePages(fd, 4096, 8192);
  expect(fstatSync(fd).blocks * 512).toBe(8192);
  expect(descriptorSize(fd)).toBe(16_384);
  expect([words[1023], words[1024], words[3071], words[3072]]).toEqual([7, 0, 0, 7]);
  words[1024] = 1;
  expect(words[1024]).toBe(1);
  expect(catchError(() => releasePages(1_000_000, 0, 4096))).toMatchObject({ code: 'MP_SYSTEM' });
  expect(() => releasePages(fd, -1, 4096)).toThrow(ArgumentError);
});

test('two processes add to one word and no addition is lost', async () => {
  const { fd, words } = sharedWords();
  const children = [0, 1].map(() => startFixture('native/add.mjs', { args: [200_000], fds: [fd] }));
  for (let i = 0; i < 200_000; i++) Atomics.add(words, 0, 1);
  expect(await Promise.all(children.map((child) => child.ended))).toEqual([0, 0]);
  expect(words[0]).toBe(600_000);
});

test('two mappings of one block see each other', () => {
  const { fd, words } = sharedWords();
  const other = mappedWords(fd).words;
  words[3] = 42;
  expect(other[3]).toBe(42);
});

test('what is written to a mapping that is copied on write stays there', () => {
  const { fd, words } = sharedWords();
  words.fill(1);
  const mine = new Int32Array(mapMemory(fd, 4096, { copyOnWrite: true }));
  const other = new Int32Array(mapMemory(fd, 100, { copyOnWrite: true }));
  expect([mine.length, other.length, mine[0], mine[1023], other[24]]).toEqual([1024, 25, 1, 1, 1]);
  mine.fill(2);
  other[24] = 3;
  expect([words[0], words[1023], mine[24], other[0]]).toEqual([1, 1, 2, 1]);
  unmapMemory(mine.buffer);
  expect(mine.length).toBe(0);
  expect(other[24]).toBe(3);
});

test('after unmapping the buffer and its views are empty, and using them never crashes', () => {
  const { buffer, words } = sharedWords();
  const bytes = new Uint8Array(buffer, 16, 16);
  const view = new DataView(buffer);
  unmapMemory(buffer);
  expect([buffer.byteLength, words.length, bytes.length]).toEqual([0, 0, 0]);
  expect(words[0]).toBeUndefined();
  words[0] = 1;
  expect(() => Atomics.add(words, 0, 1)).toThrow(/detached|Invalid/);
  expect(() => view.getInt32(0)).toThrow(TypeError);
  expect(() => bytes.fill(1)).toThrow(TypeError);
});

test('code that was optimized for the mapping notices that it is gone', () => {
  const { buffer, words } = sharedWords();
  const add = (array: Int32Array) => Atomics.add(array, 0, 1);
  for (let i = 0; i < 200_000; i++) add(words);
  unmapMemory(buffer);
  expect(() => add(words)).toThrow(/detached|Invalid/);
});

test('unmapping twice is a ClosedError, unmapping what is not ours an ArgumentError', () => {
  const { buffer } = sharedWords();
  unmapMemory(buffer);
  expect(() => unmapMemory(buffer)).toThrow(ClosedError);
  expect(() => unmapMemory(new ArrayBuffer(8))).toThrow(ArgumentError);
  expect(() => unmapMemory(new ArrayBuffer(0))).toThrow(ArgumentError);
  expect(() => unmapMemory(new SharedArrayBuffer(8) as never)).toThrow(ArgumentError);
  expect(() => unmapMemory('memory' as never)).toThrow(ArgumentError);
});

test('a mapping that is collected is unmapped', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { fd } = sharedWords(4 * 1024);
  const mappings = () => readFileSync('/proc/self/maps', 'utf8').split('memfd:multiprocess-test').length - 1;
  const before = mappings();
  for (let i = 0; i < 100; i++) new Int32Array(mapMemory(fd, 4096))[0] = i;
  while (mappings() > before) {
    collect();
    await turn();
  }
});

test('a mapping is never transferred away', () => {
  const { buffer, words } = sharedWords();
  words[0] = 5;
  try {
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  } catch (error) {
    expect((error as Error).name).toBe('DataCloneError');
  }
  expect(words[0]).toBe(5);
});

test('mapping more than the descriptor holds is refused with both sizes', () => {
  const { fd } = sharedWords(1024);
  expect(() => mapMemory(fd, 4097)).toThrow(`descriptor ${fd} holds 4096 bytes, fewer than the 4097 asked for`);
  for (const size of [0, -1, 1.5, Number.NaN, undefined, 2 ** 53])
    expect(() => mapMemory(fd, size as number)).toThrow(ArgumentError);
  expect(() => mapMemory(fd, 4096, { popluate: true } as never)).toThrow('did you mean `populate`');
});

test('a failed call names itself, the errno and the repair', () => {
  const failure = catchError(() => descriptorSize(1_000_000)) as MultiprocessError & { errno: number; syscall: string };
  expect(failure).toBeInstanceOf(MultiprocessError);
  expect([failure.code, failure.syscall, failure.errno]).toEqual(['MP_SYSTEM', 'fstat', -9]);
  expect(failure.message).toMatch(/descriptorSize of 1000000: fstat failed with EBADF .*closed before/);
});

test('a named block is made, opened, refused where the name is taken, and unlinked', () => {
  const made = owned(openSharedMemory(name, { create: true, exclusive: true, size: 8192 }));
  const opened = owned(openSharedMemory(`/${name}`, {}));
  mappedWords(made).words[7] = 9;
  expect(mappedWords(opened).words[7]).toBe(9);
  expect(descriptorSize(opened)).toBe(8192);
  expect(() => openSharedMemory(name, { create: true, exclusive: true, size: 1 })).toThrow(/EEXIST.*the name is taken/);
  unlinkSharedMemory(name);
  expect(() => openSharedMemory(name, {})).toThrow(/ENOENT/);
  expect(() => unlinkSharedMemory(name)).toThrow(/ENOENT/);
});

test('a block that /dev/shm has no room for is refused and leaves nothing', () => {
  expect(() => openSharedMemory(name, { create: true, exclusive: true, size: 2 ** 52 })).toThrow(/ENOSPC.*shm-size/);
  expect(readdirSync('/dev/shm')).not.toContain(name);
});

test('names with slashes inside and sizes without create are refused', () => {
  for (const bad of ['', '/', 'a/b', '..', 'a\0b', 'x'.repeat(256), 5]) {
    expect(() => openSharedMemory(bad as string, { create: true })).toThrow(ArgumentError);
  }
  expect(() => openSharedMemory(name, { size: 4 })).toThrow(/need `create: true`/);
});

function catchError(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}
