import { ArgumentError, MultiprocessError } from '../errors/index.js';
import { describe } from '../util/options.js';
import { addon } from './addon.js';
import { Refusal } from './calls.js';
import { Errno } from './errno.js';
import { systemError } from './system-error.js';

/**
 * Where another process gets a copy of a descriptor. Plain data; who has it may have the
 * descriptor, if he is the same user.
 */
export interface DescriptorOffer {
  /** The sharer of the process that offers it. */
  readonly address: string;
  /** Which of its offers. */
  readonly key: string;
}

/**
 * Offers a duplicate of a descriptor to the processes of this user for some time. A thread of the
 * addon serves it, so the offer stands while this process's JavaScript is busy. The caller may
 * close `fd` at once.
 *
 * @param duration milliseconds.
 * @param released as after {@link releaseOffer}: it ends when it was fetched once.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM` (EBADF; EMFILE, since each offer takes a
 * descriptor until it ends).
 */
export function offerDescriptor(fd: number, duration: number, released = false): DescriptorOffer {
  const offer = addon().sharerOffer(fd, duration, released);
  if (typeof offer === 'number') {
    if (offer === Refusal.badArgument) {
      throw new ArgumentError(
        `offerDescriptor: \`fd\` must be a descriptor and \`duration\` positive, not ${describe(fd)}, ${describe(duration)}.`,
      );
    }
    throw systemError(`Offering descriptor ${fd} to other processes`, 'dup', offer);
  }
  const [address, key] = offer.split(' ') as [string, string];
  return { address, key };
}

/**
 * The offer is sent once more, and stands for at least `duration` ms from now.
 * @returns `false` when it is over: make a new one.
 */
export function renewOffer(offer: DescriptorOffer, duration: number): boolean {
  return addon().sharerRenew(offer.key, duration) === 1;
}

/**
 * Whether the offer is kept for a message that is under way: as often as it is, no time ends it;
 * then it stands for `duration` ms.
 */
export function holdOffer(offer: DescriptorOffer, on: boolean, duration: number): void {
  addon().sharerHold(offer.key, on, duration);
}

/**
 * The descriptor was closed by whom it is offered: the offer ends when it was fetched as often as
 * it was sent, so that it keeps nothing open.
 */
export function releaseOffer(offer: DescriptorOffer): void {
  addon().sharerRelease(offer.key);
}

/** Ends every offer of this process; the thread ends with them. The next offer starts it again. */
export function withdrawOffers(): void {
  addon().sharerStop();
}

/**
 * Returns a descriptor of our own for what was offered, close-on-exec. Blocks for the answer, which
 * comes from a thread that does nothing else.
 *
 * @param timeout milliseconds.
 * @throws MultiprocessError `MP_OWNER_GONE` when the process that offered it has ended, or the
 * offer is over; `MP_SYSTEM`.
 */
export function fetchDescriptor(offer: DescriptorOffer, timeout = 10_000): number {
  const fd = addon().sharerFetch(offer.address, offer.key, timeout);
  if (fd >= 0) return fd;
  if (fd === Refusal.badArgument)
    throw new ArgumentError(`fetchDescriptor: ${describe(offer)} is no offer of a descriptor.`);
  if (fd === Errno.ENOENT || fd === Errno.ECONNREFUSED || fd === Errno.ECONNRESET) {
    throw new MultiprocessError(
      'The descriptor cannot be had: the process that sent it has ended, or took it back (bytes of dumps() are good for 30 seconds); keep that process running and send it again.',
      { code: 'MP_OWNER_GONE' },
    );
  }
  const why =
    fd === Errno.ETIMEDOUT ? 'its process does not answer (is it stopped?)' : 'its process belongs to another user';
  if (fd === Errno.ETIMEDOUT || fd === Errno.EACCES) {
    throw new MultiprocessError(`The descriptor cannot be had: ${why}.`, { code: 'MP_SYSTEM' });
  }
  throw systemError('Fetching a descriptor', 'recvmsg', fd);
}
