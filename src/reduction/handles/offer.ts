import { TRANSIT } from '../../memory/block.js';
import { closeDescriptor } from '../../native/descriptors.js';
import { type DescriptorOffer, fetchDescriptor, offerDescriptor, releaseOffer, renewOffer } from '../../native/sharer.js';

/**
 * The offer of one descriptor to other processes: made when it is first sent, prolonged whenever it is sent again, over
 * {@link TRANSIT} ms after the last time, as every handle. It has a duplicate of its own, so the descriptor may be closed at once.
 *
 * That duplicate would keep a connection open that all have closed. So once the sender has closed the descriptor, the offer ends when it was
 * fetched as often as it was sent. Who sends one message to several receivers keeps the descriptor open until all have it.
 *
 * @internal
 */
export class StandingOffer {
  #offer: DescriptorOffer | undefined;

  /** Where the descriptor is had from now on. @throws MultiprocessError `MP_SYSTEM`. */
  of(fd: number): DescriptorOffer {
    if (this.#offer === undefined || !renewOffer(this.#offer, TRANSIT)) this.#offer = offerDescriptor(fd, TRANSIT);
    return this.#offer;
  }

  /** The sender has closed the descriptor. */
  release(): void {
    if (this.#offer !== undefined) releaseOffer(this.#offer);
  }
}

/** The offer of a descriptor that is fetched once, by whom it was sent to. @throws MultiprocessError `MP_SYSTEM`. */
export function offerOnce(fd: number): DescriptorOffer {
  return offerDescriptor(fd, TRANSIT, true);
}

/** @internal What was offered has arrived where it is already: counts as fetched. */
export function declineOffer(offer: DescriptorOffer): void {
  try {
    closeDescriptor(fetchDescriptor(offer));
  } catch {
    // The sender has ended, or it took too long: then nothing is kept open either.
  }
}
