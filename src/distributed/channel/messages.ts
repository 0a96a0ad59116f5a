/** Every message of distributed queues and topics: who, what happened, how to mend it. */
import {
  ClosedError,
  ConnectionError,
  ProducerLostError,
  QueueEmptyError,
  QueueFullError,
  RemoteError,
  SerializationError,
  TimeoutError,
} from '../../errors/index.js';
import type { ChannelKind } from '../wire/index.js';

/** A queue or topic, as messages name it. */
export interface Named {
  readonly kind: ChannelKind;
  readonly name: string;
}

export function full({ kind, name }: Named, actor: string, timeout: number | undefined): QueueFullError {
  const when = timeout === undefined || timeout <= 0 ? 'is full now' : `was full for ${timeout} ms`;
  return new QueueFullError(
    `${actor}: the ${kind} \`${name}\` ${when}; wait longer, add consumers, or give it a larger \`maxSize\` or \`capacity\`.`,
  );
}

export function unsentFull({ kind, name }: Named, actor: string, unsent: number): QueueFullError {
  return new QueueFullError(
    `${actor}: ${unsent} items wait here for the ${kind} \`${name}\`, as many as \`overflow\` allows; use put() or publish(), which wait, or give \`overflow\` a larger \`capacity\`.`,
  );
}

export function empty({ name }: Named, actor: string, timeout: number | undefined): QueueEmptyError {
  const when = timeout === undefined || timeout <= 0 ? 'is empty now' : `was empty for ${timeout} ms`;
  return new QueueEmptyError(`${actor}: the queue \`${name}\` ${when}; wait longer, or use get() without a timeout.`);
}

/** @param known Whether it is certain that the broker does not have the item. */
export function brokerAway(actor: string, address: string, timeout: number | undefined, known: boolean): TimeoutError {
  const item = known
    ? 'The item was not put.'
    : 'The item may have been put: put it again with the same `id`, which the broker stores once.';
  return new TimeoutError(
    `${actor}: the broker at ${address} did not answer${timeout === undefined || timeout <= 0 ? '' : ` for ${timeout} ms`}. ${item}`,
    { code: 'MP_BROKER_AWAY' },
  );
}

export function brokerSilent(actor: string, address: string): TimeoutError {
  return new TimeoutError(
    `${actor}: the broker at ${address} did not answer; use get() or put(), which wait until it is back, or try again.`,
    { code: 'MP_BROKER_AWAY' },
  );
}

export function closedHere({ kind, name }: Named, actor: string): ClosedError {
  return new ClosedError(
    `${actor}: the ${kind} \`${name}\` is closed in this process; close it when it is no longer used here.`,
  );
}

export function completedHere({ kind, name }: Named, actor: string): ClosedError {
  return new ClosedError(
    `${actor}: this process has completed the ${kind} \`${name}\` and puts no more; complete() comes after the last item.`,
    { code: 'MP_QUEUE_COMPLETED' },
  );
}

export function drained({ name }: Named, actor: string): ClosedError {
  return new ClosedError(
    `${actor}: the queue \`${name}\` is empty and all its writers have completed, so nothing will come; iterate it to see its end.`,
    { code: 'MP_QUEUE_COMPLETED' },
  );
}

export function producerLost({ kind, name }: Named): ProducerLostError {
  return new ProducerLostError(
    `A writer of the ${kind} \`${name}\` was not heard of for the lease and had not completed. All that it had put was delivered. Make the writer call complete(), or pass \`onWriterLost: 'complete'\`, or 'wait' where writers come and go.`,
  );
}

export function tooLarge({ kind, name }: Named, actor: string, bytes: number, limit: number): SerializationError {
  const repair = 'put it in several items, or put where it is stored';
  return new SerializationError(
    `${actor}: the item has ${bytes} bytes; an item of the ${kind} \`${name}\` may have ${limit}; ${repair}.`,
    { code: 'MP_TOO_LARGE', repair },
  );
}

export function refused({ kind, name }: Named, actor: string, description: string): RemoteError {
  return new RemoteError(`${actor}: the broker did not take an item of the ${kind} \`${name}\`: ${description}.`, {
    code: 'MP_BROKER_REFUSED',
  });
}

export function otherSerializer({ kind, name }: Named, theirs: string, ours: string): SerializationError {
  const repair =
    theirs === 'custom'
      ? 'connect with the `serializer` that its writer has'
      : `connect with \`serializer: '${theirs}'\`${theirs === 'multiprocess' ? ', where its writers are trusted as the own program is' : ''}`;
  return new SerializationError(
    `An item of the ${kind} \`${name}\` was written by the serializer '${theirs}', which a reader with '${ours}' does not read; it stays in the ${kind}; ${repair}.`,
    { code: 'MP_SERIALIZER', repair },
  );
}

export function partsMissing({ kind, name }: Named): SerializationError {
  const repair = 'put it again';
  return new SerializationError(
    `The parts of a large item of the ${kind} \`${name}\` are not at the broker any more; ${repair}.`,
    { code: 'MP_PARTS_MISSING', repair },
  );
}

export function noStorage(
  { kind, name }: Named,
  actor: string,
  address: string,
  capacity: number,
  cause: unknown,
): ConnectionError {
  return new ConnectionError(
    `${actor}: the broker at ${address} has no room for the ${kind} \`${name}\`, which reserves ${capacity} bytes of its storage: ${cause instanceof Error ? cause.message : String(cause)}. Pass a smaller \`capacity\`, or raise \`max_file_store\` in the server's configuration.`,
    { code: 'MP_BROKER_STORAGE', cause },
  );
}
