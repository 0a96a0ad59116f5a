/** Memory and descriptors that a test makes, given back when it ends. */
import { afterEach } from 'vitest';
import { closeDescriptor, createEventfd, createMemory, mapMemory, unmapMemory } from '../../src/native/index.js';

const descriptors: number[] = [];
const buffers: ArrayBufferLike[] = [];

afterEach(() => {
  for (const fd of descriptors.splice(0)) closeDescriptor(fd);
  for (const buffer of buffers.splice(0)) if (buffer.byteLength > 0) unmapMemory(buffer);
});

/** Closes the descriptor at the end of the test. */
export function owned(fd: number): number {
  descriptors.push(fd);
  return fd;
}

/** An eventfd for this test. */
export function eventfd(): number {
  return owned(createEventfd());
}

/** A block with a mapping of it for this test. */
export function sharedWords(count = 1024): { fd: number; buffer: ArrayBufferLike; words: Int32Array } {
  const fd = owned(createMemory('test', count * 4));
  return { fd, ...mappedWords(fd, count) };
}

/** Another mapping of a block for this test. */
export function mappedWords(fd: number, count = 1024): { buffer: ArrayBufferLike; words: Int32Array } {
  const buffer = mapMemory(fd, count * 4);
  buffers.push(buffer);
  return { buffer, words: new Int32Array(buffer) };
}
