/** What the memories of queues and of topics have in common, for those who put into either. */
import type { Block } from '../../memory/index.js';
import type { SharedFailure } from './failure.js';
import type { LargeItems } from './large-items.js';
import type { Members } from './members.js';
import type { Noun } from './messages.js';
import type { WaitCondition, Waiters } from './waiters.js';

/** Kinds of records. */
export enum RecordKind {
  /** The payload is the message. */
  Item = 1,
  /**
   * The payload is the length of the message, which lies in the slot that the record's id names.
   */
  Large = 2,
}

/** Something encoded, that can be laid out, as a Payload is. */
export interface Layout {
  layout(target: Uint8Array, offset: number, words?: Int32Array): unknown;
}

export interface ItemMemory {
  /** What messages call it. */
  readonly noun: Noun;
  readonly block: Block;
  readonly members: Members;
  readonly large: LargeItems;
  readonly failure: SharedFailure;
  /** It was put into a message. */
  noteSent?(): void;
  /** Another thread or process made it. */
  readonly attached?: boolean;
  /**
   * Whether the calling thread waits in vain for room, as far as it is one that `mayRead` says will
   * not read.
   */
  orphaned?(mayRead: boolean): boolean;
  readonly settings: { readonly completeOnLoss: boolean };
  /** Largest payload of a record; what is larger goes to {@link large}. */
  readonly maximum: number;
  /** Publishes a record of `length` bytes. Returns whether there was room. */
  append(kind: RecordKind, id: number, length: number, payload: Layout): boolean;
  /** Where the record stands that this thread appended last. */
  readonly appended: number;
  /** Whether nobody can read the record at a position any more, or it was delivered. Cheap. */
  isOver(position: number): boolean;
  /** Whether {@link append} of so much may succeed. Cheap. */
  mayFit(length: number): boolean;
  /** Takes a slot for a large item: -1 when all of them are needed. */
  takeLarge(bytes: number): number;
  /**
   * Whether there is so much room that it is worth waking somebody for.
   * @param first Bytes of what waits here, if that is known.
   */
  someRoom(first: number | undefined): boolean;
  /** Makes room of what is done with. Returns whether there was any. */
  sweep(): boolean;
  /**
   * As {@link sweep}, after a look at what the dead had. Returns whether items can be taken again.
   */
  reclaim(): boolean;
  /** Notes the error that ends it, unless there is one. */
  fail(error: Uint8Array): void;
  roomWaiters(awaited: WaitCondition): Waiters;
  itemWaiters(awaited: WaitCondition): Waiters;
}

/** Words of a cache line. */
export const LINE = 16;

/** Words rounded up to whole cache lines. */
export function lines(words: number): number {
  return Math.ceil(words / LINE) * LINE;
}
