/**
 * What a Process is sent when it starts: a memory file, written before the start and read once. It
 * has no name, and a reader needs no event loop.
 *
 *   0  bytes of the head   u32
 *   4  head                JSON: who the child is and what it runs
 *      body                from the next multiple of 8 on: what only the codec can carry
 */

import { fstatSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { nativeAvailable } from '../../native/addon.js';
import { entry } from '../../util/package.js';
import type { PreparedState } from '../../util/preparation.js';
import { uninitializedBytes } from '../../util/uninitialized.js';

/** What the child runs. */
export type Work =
  /** The default export of a module. */
  | { readonly kind: 'module'; readonly url: string }
  /** The body holds `[target, args]`. */
  | { readonly kind: 'target' }
  /** The body holds `[instance, target, args]`, whose `run()` is called. */
  | { readonly kind: 'instance' };

/** The head of a payload. */
export interface PayloadHead {
  readonly name: string;
  readonly daemon: boolean;
  readonly path: string;
  /** Hexadecimal. */
  readonly authkey: string;
  readonly parent: {
    readonly name: string;
    readonly pid: number;
    readonly startTime: string | null;
    readonly threadId: number | null;
  };
  /** Arguments of the program, without Node and the script. */
  readonly argv: readonly string[];
  /** The program's main file, where there is one. */
  readonly main: string | null;
  readonly work: Work;
  /** Arguments of a module's function, where JSON carries them; otherwise they are in the body. */
  readonly args: readonly unknown[] | null;
  readonly prepared: readonly PreparedState[];
}

/** Bytes of one read: Node takes none of 2 GiB and more. */
const MAX_READ_BYTES = 1 << 30;

/** Where the body starts behind a head that ends at `offset`. */
export const align = (offset: number): number => (offset + 7) & ~7;

/**
 * Reads a payload, by file operations alone: a child has not loaded more yet. The body is memory of
 * its own, `null` when there is none.
 */
export function readPayload(fd: number): { head: PayloadHead; body: Uint8Array | null } {
  const bytes = nativeAvailable() ? readFile(fd) : readShared(fd);
  const { buffer, length: size } = bytes;
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(Buffer.from(buffer, 4, length).toString()) as PayloadHead;
  const start = align(4 + length);
  return { head, body: start < size ? bytes.subarray(start) : null };
}

function readFile(fd: number): Uint8Array {
  const { size } = fstatSync(fd);
  const bytes = uninitializedBytes(size);
  for (let at = 0; at < size; ) at += readSync(fd, bytes, at, Math.min(size - at, MAX_READ_BYTES), at);
  return bytes;
}

/** Without the addon it is memory of threads. A process does not load what that takes. */
function readShared(fd: number): Uint8Array {
  const { descriptorSize, mapMemory } = createRequire(import.meta.url)(
    fileURLToPath(entry('native/index')),
  ) as typeof import('../../native/index.js');
  return new Uint8Array(mapMemory(fd, descriptorSize(fd))).slice();
}
