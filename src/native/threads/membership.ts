/**
 * A thread's place in its family. Apart from what it takes to use it (family.ts), which a child
 * loads later.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Stranger } from './joining.js';
import type { Kernel } from './kernel.js';

/** What a thread needs to take its place. `port` must be transferred. */
export interface Membership {
  readonly family: string;
  readonly table: Int32Array;
  readonly agent: number;
  /** It sleeps on this word until the kernel has answered. */
  readonly word: Int32Array;
  readonly port: MessagePort;
}

/** The place of this thread. */
export interface Family {
  /** Tells it from all others. */
  readonly name: string;
  readonly table: Int32Array;
  readonly agent: number;
  /** Where the kernel is. */
  kernel: Kernel | MessagePort | Stranger;
  /** Grows with each answer of a kernel that is a thread. */
  readonly word: Int32Array;
}

export const FAMILY: unique symbol = Symbol.for('multiprocess.family') as never;
/** All copies of the package in a thread have one place. */
export const scope = globalThis as { [FAMILY]?: Family };

/** Gives the calling thread its place. Call it before anything is shared. */
export function joinFamily({ family: name, table, agent, word, port }: Membership): void {
  scope[FAMILY] = { name, table, agent, kernel: port, word };
}
