/**
 * What an agent puts back into the broker: tasks for others, and dead letters. Each is a message of
 * its own, so that what the broker counts is deaths.
 */
import { ConnectionError } from '../../errors/index.js';
import { debug } from '../../util/logger.js';
import { clearTimeout, setTimeout, timeOfDay } from '../../util/timers.js';
import {
  type Broker,
  type BrokerRefusal,
  deliveryOf,
  forgetRequests,
  type Msg,
  Publisher,
  publishOnce,
} from '../broker/index.js';
import { type PoolNames, writeDeadLetter, writeTask } from '../wire/index.js';
import type { HeldTask } from './held-task.js';
import { unreadable } from './messages.js';
import type { TaskOutcome } from './task-runner.js';

/** Milliseconds for the broker to take back a task of an agent that ends. */
const RETURN_MS = 1_000;

export class TaskReturns {
  readonly #broker: Broker;
  readonly #names: PoolNames;
  readonly #host: string;
  readonly #publisher: Publisher;

  /** @param host Who speaks in dead letters. */
  constructor(broker: Broker, names: PoolNames, host: string) {
    this.#broker = broker;
    this.#names = names;
    this.#host = host;
    this.#publisher = new Publisher(broker);
  }

  close(): void {
    this.#publisher.close();
  }

  /** Others may have a task, as if it had not been here. Resolves when the broker knows. */
  async giveBack(held: HeldTask): Promise<void> {
    const { task, before, sequence } = held;
    const subject = this.#names.task(held.priority, task.driver, task.run);
    // Its driver does not know the new message, and cannot withdraw it: who gets it asks.
    const payload = writeTask({ ...task, options: { ...task.options, before, announce: true } });
    held.leaving = true;
    if (!this.#broker.up) return held.leave();
    const id = `${task.driver}/${task.run}/${task.chunk}/${task.offset}/back/${sequence}`;
    const stored = this.#store(subject, id, payload).then(
      () => true,
      () => false,
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), RETURN_MS);
    });
    if (await Promise.race([stored, late])) held.acknowledge();
    else {
      // The stream is full, or the broker away.
      await forgetRequests(this.#broker, held.stream, held.priority);
      held.decline();
    }
    clearTimeout(timer);
  }

  /**
   * Publishes the items of a chunk one by one: hosts end under it, and only the one to blame is to
   * be lost.
   *
   * @throws (rejects) when the broker does not take all of them: the chunk comes again.
   */
  async split({ task, before, priority, sequence }: HeldTask): Promise<void> {
    const subject = this.#names.task(priority, task.driver, task.run);
    const single = (offset: number): Promise<void> => {
      const payload = writeTask({ ...task, offset, count: 1, options: { ...task.options, before } });
      const id = `${task.driver}/${task.run}/${task.chunk}/${offset}/${before}/${sequence}`;
      return this.#store(subject, id, payload);
    };
    await Promise.all(Array.from({ length: task.count }, (_, i) => single(task.offset + i)));
  }

  /** Writes the dead letter of what was given up. */
  async bury({ task, bytes }: HeldTask, { offset, count, poison }: TaskOutcome): Promise<void> {
    const { name, message, code } = (poison?.error ?? {}) as { name?: string; message?: string; code?: string };
    const index = task.chunk + offset;
    const letter = writeDeadLetter({
      driver: task.driver,
      run: task.run,
      index,
      count,
      attempts: poison?.attempts ?? 0,
      host: this.#host,
      name: name ?? 'Error',
      message: message ?? String(poison?.error),
      code: code ?? '',
      time: timeOfDay(),
      task: bytes,
    });
    await this.#store(this.#names.deadLetter, `${task.driver}/${task.run}/${index}`, letter).catch(lost);
  }

  /** Writes the dead letter of a message that is no task, and has it leave the stream. */
  buryUnreadable(message: Msg, bytes: Uint8Array, cause: unknown): void {
    const error = unreadable(this.#host, cause);
    const { sequence, deliveries } = deliveryOf(message);
    const letter = {
      driver: '',
      run: '',
      index: 0,
      count: 1,
      attempts: deliveries,
      host: this.#host,
      name: error.name,
      message: error.message,
      code: error.code,
      time: timeOfDay(),
      task: bytes,
    };
    const reply = message.reply ?? '';
    void this.#store(this.#names.deadLetter, `unreadable/${sequence}`, writeDeadLetter(letter)).then(
      () => this.#broker.publish(reply, '+TERM'),
      lost,
    );
  }

  #store(subject: string, id: string, payload: Uint8Array): Promise<void> {
    const refuse = ({ description }: BrokerRefusal) =>
      new ConnectionError(`The broker did not take a message for ${subject}: ${description}.`);
    return publishOnce(this.#publisher, subject, id, payload, refuse);
  }
}

function lost(error: unknown): void {
  debug('agent: a dead letter could not be stored: %s', error);
}
