/**
 * Shared buffers: memory files for messages too large to walk through a ring, filled again and
 * again so that their pages stay warm. A sender has a {@link BufferPool}, who receives has a {@link
 * BufferInbox}; what travels between them is a {@link BufferHandle}, plain data, by whatever
 * channel they have.
 *
 * A ring of megabytes is walked from end to end, so each large message meets cold lines; a buffer
 * that came back last is filled first. An echo of 1 MiB takes a third of the time, one of 256 MiB
 * half.
 *
 * Memory file: header page (4096 bytes) | bytes. Word 0 of the header:
 *    0   free: its pool may fill it
 *   n>0  ticket n is under way: filled, and its handle given out; who is done with it stores 0 by
 *        compare-and-set, so a late or second receipt never frees what was filled again
 *   -n   ticket n is under way and its pool was closed: its receiver drops the mapping with its
 *        receipt
 *  MIN   retired: nobody uses it any more; inboxes drop their mapping
 *
 * Crash: a sender that dies leaves what was mapped readable, and what was not is MP_OWNER_GONE. A
 * receiver that dies before its receipt leaves the buffer under way until the pool is told ({@link
 * BufferPool.reclaim}) or closed.
 */
import type { RegionHandle } from '../regions/registry.js';

/** Bytes of the header page. */
export const HEADER_BYTES = 4096;
export const FREE = 0;
export const RETIRED = -0x8000_0000;
/** Milliseconds between two looks after buffers that nobody used meanwhile. */
export const IDLE_CHECK_MS = 5000;

/** Where a message lies. Plain data. */
export interface BufferHandle {
  readonly region: RegionHandle;
  /** Which filling of the buffer is meant. */
  readonly ticket: number;
  /** Bytes of the message. */
  readonly length: number;
}
