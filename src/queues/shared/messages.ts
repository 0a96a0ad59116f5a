/** Every message of the queues: who, what happened, which repair works. */
import {
  ArgumentError,
  ClosedError,
  MultiprocessError,
  ProducerLostError,
  QueueEmptyError,
  QueueFullError,
} from '../../errors/index.js';

/** What an item lies in. */
export type Noun = 'queue' | 'topic';

export function queueFull(noun: Noun, actor: string, timeout: number | undefined): QueueFullError {
  const when = timeout === undefined || timeout <= 0 ? 'is full now' : `was full for ${timeout} ms`;
  const repair = noun === 'topic' ? 'read faster, choose another `lag`' : 'add consumers';
  return new QueueFullError(
    `${actor}: the ${noun} ${when}; wait longer, ${repair}, or give it a larger \`maxSize\` or \`capacity\`.`,
  );
}

export function noReaders(actor: string): QueueFullError {
  return new QueueFullError(
    `${actor}: the queue is full and nobody is left to read from it: all others who had it have closed it or ended. Keep it open where it is read, or close it here.`,
    { code: 'MP_QUEUE_NO_READERS' },
  );
}

export function consumersLost(actor: string, left: number): MultiprocessError {
  return new MultiprocessError(
    `${actor}: ${left} item${left === 1 ? ' is' : 's are'} not done and nobody is left to do them: all others who had the queue have closed it or ended. Look why they did, or start consumers before join().`,
    { code: 'MP_CONSUMERS_LOST' },
  );
}

export function queueEmpty(actor: string, timeout: number | undefined): QueueEmptyError {
  const when = timeout === undefined || timeout <= 0 ? 'is empty now' : `was empty for ${timeout} ms`;
  return new QueueEmptyError(`${actor}: the queue ${when}; wait longer, or use get() without a timeout.`);
}

export function closedHere(noun: Noun, actor: string): ClosedError {
  return new ClosedError(`${actor}: the ${noun} is closed in this process; close it when it is no longer used here.`);
}

export function completedHere(noun: Noun, actor: string): ClosedError {
  return new ClosedError(
    `${actor}: this thread has completed the ${noun} and puts no more; complete() comes after the last item.`,
    {
      code: 'MP_QUEUE_COMPLETED',
    },
  );
}

export function drained(actor: string): ClosedError {
  return new ClosedError(
    `${actor}: the queue is empty and all its writers have completed, so nothing will come; iterate it to see its end.`,
    {
      code: 'MP_QUEUE_COMPLETED',
    },
  );
}

export function producerLost(id: number): ProducerLostError {
  return new ProducerLostError(
    `A writer of the queue (process or thread ${id}) died without completing it. All that it had put was delivered; what it had not put is lost. ` +
      "Make the writer call complete(), or use `onWriterLost: 'complete'` where that does not matter.",
  );
}

export function notHeld(actor: string): ArgumentError {
  return new ArgumentError(
    `${actor}: this process holds no such item; acknowledge each item once, in the process whose consume({ ack: 'manual' }) gave it.`,
    { code: 'MP_NOT_HELD' },
  );
}

export function tooManyDone(actor: string): ArgumentError {
  return new ArgumentError(
    `${actor}: it was called more often than items were put; call it once for each item that was got.`,
    {
      code: 'MP_TOO_MANY_DONE',
    },
  );
}
