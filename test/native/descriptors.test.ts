import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors/index.js';
import {
  closeDescriptor,
  duplicateDescriptor,
  openDescriptorOf,
  receiveDescriptors,
  ringDoorbell,
  sendDescriptors,
  setCloseOnExec,
  socketPair,
} from '../../src/native/index.js';
import { startFixture } from '../support/fixture-process.js';
import { eventfd, mappedWords, owned, sharedWords } from '../support/native-resources.js';

const text = (value: string) => new TextEncoder().encode(value);
const closesOnExec = (fd: number) =>
  (Number.parseInt(/flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1]!, 8) & 0o2000000) !== 0;
const pair = () => socketPair().map(owned) as [number, number];

test('descriptors are made close-on-exec, and that can be changed', () => {
  const { fd } = sharedWords();
  const copies = [fd, eventfd(), ...pair(), owned(duplicateDescriptor(fd))];
  expect(copies.map(closesOnExec)).toEqual(copies.map(() => true));
  expect(closesOnExec(owned(duplicateDescriptor(fd, { closeOnExec: false })))).toBe(false);
  setCloseOnExec(fd, false);
  expect(closesOnExec(fd)).toBe(false);
  setCloseOnExec(fd, true);
  expect(closesOnExec(fd)).toBe(true);
});

test('closing twice is EBADF', () => {
  const fd = duplicateDescriptor(eventfd());
  closeDescriptor(fd);
  expect(() => closeDescriptor(fd)).toThrow(/close failed with EBADF/);
});

test('a block sent over a socket is the same block in another process', async () => {
  const { fd, words } = sharedWords();
  const [ours, theirs] = pair();
  sendDescriptors(ours, [fd], text('hello'));
  const child = startFixture('native/receive.mjs', { fds: [theirs] });
  expect(await child.line()).toBe('hello');
  expect(await child.ended).toBe(0);
  expect(words[0]).toBe(1);
});

test('messages with descriptors stay apart, and nothing there is null', () => {
  const { fd } = sharedWords();
  const [ours, theirs] = pair();
  expect(receiveDescriptors(theirs, 4)).toBeNull();
  sendDescriptors(ours, [fd, fd], text('one'));
  sendDescriptors(ours, [fd], text('two'));
  for (const [payload, count] of [
    ['one', 2],
    ['two', 1],
  ] as const) {
    const received = receiveDescriptors(theirs, 4)!;
    expect(Buffer.from(received.payload).toString()).toBe(payload);
    expect(received.fds.map(owned)).toHaveLength(count);
    expect(received.fds.map(closesOnExec)).not.toContain(false);
  }
  expect(receiveDescriptors(theirs, 4)).toBeNull();
});

test('a closed socket gives an empty payload, and sending to it is EPIPE', () => {
  const [ours, theirs] = socketPair();
  owned(theirs);
  closeDescriptor(ours);
  expect(receiveDescriptors(theirs, 1)).toEqual({ fds: [], payload: new Uint8Array() });
  expect(() => sendDescriptors(theirs, [], text('x'))).toThrow(/EPIPE/);
});

test('more descriptors than were asked for are refused and closed', () => {
  const [ours, theirs] = pair();
  const { fd } = sharedWords();
  sendDescriptors(ours, [fd, fd, fd], text('x'));
  expect(() => receiveDescriptors(theirs, 2)).toThrow(ArgumentError);
});

test('bad messages are refused before anything is sent', () => {
  const [ours, theirs] = pair();
  expect(() => sendDescriptors(ours, [-1], text('x'))).toThrow(ArgumentError);
  expect(() => sendDescriptors(ours, new Array(254).fill(0), text('x'))).toThrow(ArgumentError);
  expect(() => sendDescriptors(ours, [], new Uint8Array())).toThrow(/at least one byte/);
  expect(() => sendDescriptors(ours, [1_000_000], text('x'))).toThrow(/EBADF/);
  expect(receiveDescriptors(theirs, 1)).toBeNull();
});

test('a descriptor of another process is opened by its number', async () => {
  const { fd, words } = sharedWords();
  words[0] = 0;
  const child = startFixture('native/futex-wait.mjs', { args: ['async', 60_000], fds: [fd] });
  expect(await child.line()).toBe('waiting');
  const same = mappedWords(owned(openDescriptorOf(child.child.pid!, 3))).words;
  same[9] = 77;
  expect(words[9]).toBe(77);
  expect(() => openDescriptorOf(child.child.pid!, 900)).toThrow(/EBADF|ENOENT/);
});

test('a descriptor of our own process is opened the same way', () => {
  const fd = owned(openDescriptorOf(process.pid, sharedWords().fd));
  expect(existsSync(`/proc/self/fd/${fd}`)).toBe(true);
  expect(() => ringDoorbell(owned(openDescriptorOf(process.pid, eventfd())))).not.toThrow();
});
