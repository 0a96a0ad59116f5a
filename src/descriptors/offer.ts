import { ArgumentError } from '../errors/index.js';
import { TRANSIT_MS } from '../memory/regions/transit.js';
import { noteKeep } from '../memory/shareable/freight.js';
import { closeDescriptor } from '../native/descriptors.js';
import {
  type DescriptorOffer,
  fetchDescriptor,
  holdOffer,
  offerDescriptor,
  releaseOffer,
  renewOffer,
} from '../native/sharer.js';
import { describe } from '../util/options.js';
import { spawningPopen, takeDescriptor } from '../util/spawning.js';

/**
 * How a descriptor comes to another process: by an offer; or, with all else that a child is started
 * with, under this number there. The latter needs nobody to answer, and nothing stays open here if
 * the child ends before it has looked.
 */
export type Passage = DescriptorOffer | number;

/**
 * The offer of one descriptor to other processes: made when it is first sent, prolonged whenever it
 * is sent again, over {@link TRANSIT_MS} ms after the last time or, where that is later, after
 * nobody holds the message any more, as every handle. It has a duplicate of its own, so the
 * descriptor may be closed at once.
 *
 * That duplicate would keep a connection open that all have closed. So once the sender has closed
 * the descriptor, the offer ends when it was fetched as often as it was sent. Who sends one message
 * to several receivers keeps the descriptor open until all have it.
 */
export class StandingOffer {
  #offer: DescriptorOffer | undefined;

  /** Where the descriptor is had from now on. @throws MultiprocessError `MP_SYSTEM`. */
  of(fd: number): Passage {
    const number = passed(fd);
    if (number !== null) return number;
    if (this.#offer === undefined || !renewOffer(this.#offer, TRANSIT_MS))
      this.#offer = offerDescriptor(fd, TRANSIT_MS);
    noteOffer(this.#offer);
    return this.#offer;
  }

  /** The sender has closed the descriptor. */
  release(): void {
    if (this.#offer !== undefined) releaseOffer(this.#offer);
  }
}

/**
 * The offer of a descriptor that is fetched once, by whom it was sent to.
 * @throws MultiprocessError `MP_SYSTEM`.
 */
export function offerOnce(fd: number): Passage {
  const number = passed(fd);
  if (number !== null) return number;
  const offer = offerDescriptor(fd, TRANSIT_MS, true);
  noteOffer(offer);
  return offer;
}

/** It stands while its message is under way. */
function noteOffer(offer: DescriptorOffer): void {
  noteKeep({ hold: () => holdOffer(offer, true, TRANSIT_MS), letGo: () => holdOffer(offer, false, TRANSIT_MS) });
}

/**
 * The number that it will have in the child for which we encode; `null`: there is no such child, or
 * it is a thread.
 */
function passed(fd: number): number | null {
  const child = spawningPopen();
  return child?.keepsDescriptors === true ? child.duplicateForChild(fd) : null;
}

/** The descriptor, from now on ours to close. @throws what `fetchDescriptor` throws. */
export function obtainDescriptor(from: Passage): number {
  if (typeof from !== 'number') return fetchDescriptor(from);
  if (takeDescriptor(from)) return from;
  throw new ArgumentError(`obtainDescriptor: ${describe(from)} is no descriptor that this process was started with.`);
}

/** What was offered has arrived where it is already: counts as fetched. */
export function declineOffer(offer: Passage): void {
  try {
    closeDescriptor(obtainDescriptor(offer));
  } catch {
    // The sender has ended, or it took too long: then nothing is kept open either.
  }
}
