/**
 * The encoder that the senders of a thread share: queues, connections, managers and dumps.
 *
 * A reducer may send in its turn, so an encoder is taken away while it works, and who finds none
 * makes one.
 */
import { Encoder } from './codec.js';

let idle: Encoder | undefined;

/** Returns an encoder for one value: give it back by {@link returnEncoder}, also after an error. */
export function borrowEncoder(): Encoder {
  const encoder = idle ?? new Encoder();
  idle = undefined;
  return encoder;
}

/** The value was laid out, or will not be. */
export function returnEncoder(encoder: Encoder): void {
  encoder.forget();
  idle = encoder;
}
