import { TRANSIT } from '../../memory/block.js';
import { type DescriptorOffer, offerDescriptor, renewOffer } from '../../native/sharer.js';

/**
 * The offer of one descriptor to other processes: made when it is first sent, prolonged whenever it is sent again, over
 * {@link TRANSIT} ms after the last time, as every handle. It has a duplicate of its own, so the descriptor may be closed at once.
 */
export class StandingOffer {
  #offer: DescriptorOffer | undefined;

  /** Where the descriptor is had from now on. @throws MultiprocessError `MP_SYSTEM`. */
  of(fd: number): DescriptorOffer {
    if (this.#offer === undefined || !renewOffer(this.#offer, TRANSIT)) this.#offer = offerDescriptor(fd, TRANSIT);
    return this.#offer;
  }
}
