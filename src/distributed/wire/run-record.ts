/** What the broker keeps of a durable run beside its tasks and results. */
import { bad, list, plain, text, whole } from './fields.js';
import { SERIALIZERS, type SerializerName } from './messages.js';

const ERRORS = ['fail', 'skip', 'settle'] as const;

export interface RunRecord {
  /** The driver that reads it, and that has read it last. */
  readonly reader: string;
  /** Whether results are delivered in the order of the source. */
  readonly ordered: boolean;
  /** What becomes of an item that fails, see `errors` of a stream. */
  readonly errors: (typeof ERRORS)[number];
  readonly serializer: SerializerName;
  /** Items, from the first on, whose tasks the broker has had, at least. */
  readonly admitted: number;
  /** Items in all; -1 while the source has not ended. */
  readonly total: number;
  /** Items whose results were delivered: `[from, to)`, one after the other. */
  readonly delivered: readonly number[];
  /** Milliseconds since 1970 when it began. */
  readonly since: number;
}

export function writeRunRecord(record: RunRecord): Uint8Array {
  const { reader, ordered, errors, serializer, admitted, total, delivered, since } = record;
  return plain.encode([
    reader,
    ordered,
    ERRORS.indexOf(errors),
    SERIALIZERS.indexOf(serializer),
    admitted,
    // Numbers of messages are never negative.
    total + 1,
    delivered,
    since,
  ]);
}

/** @throws RemoteError `MP_BAD_FRAME`. */
export function readRunRecord(bytes: Uint8Array): RunRecord {
  const [reader, ordered, errors, serializer, admitted, total, delivered, since] = list(plain.decode(bytes), 8);
  return {
    reader: text(reader),
    ordered: ordered === true,
    errors: ERRORS[whole(errors)] ?? bad('a treatment of errors that it does not know'),
    serializer: SERIALIZERS[whole(serializer)] ?? bad('a serializer that it does not know'),
    admitted: whole(admitted),
    total: whole(total) - 1,
    delivered: list(delivered, 0).map(whole),
    since: whole(since),
  };
}
