/** What the broker says of a message that it delivers: it stands in the subject for answers. */
import type { Msg } from './broker.js';

const NANOS = 1e6;

export interface Delivery {
  /** The stream it comes from. */
  readonly stream: string;
  /** How often the message was given to somebody. */
  readonly deliveries: number;
  /** Its number in the stream. */
  readonly sequence: number;
  /** Milliseconds since 1970 when it was published, by the broker's clock. */
  readonly published: number;
}

/** Reads `$JS.ACK.[domain.account.]stream.consumer.n.sequence.n.time.pending`. */
export function deliveryOf(message: Msg): Delivery {
  const tokens = (message.reply ?? '').split('.');
  const at = tokens.length > 9 ? 4 : 2;
  return {
    stream: tokens[at] ?? '',
    deliveries: Number(tokens[at + 2]),
    sequence: Number(tokens[at + 3]),
    published: Number(tokens[at + 5]) / NANOS,
  };
}
