/**
 * Takes messages from durable consumers, as many as are asked for: from the classes of a pool, or
 * from a queue's only one.
 *
 * A consumer that gives is asked for all that there is room for, the first ones first. Each other is
 * asked for one message: none starves, and who waits is found by all of them. What comes may exceed
 * the demand by these, and by what a consumer that was quiet was asked for before. One that is
 * steady is always asked for all.
 *
 * A request to the broker is open for {@link EXPIRES_MS}; the broker says each {@link HEARTBEAT_MS}
 * that it still has it. Where that stays away, it is asked anew: a message that comes twice is
 * impossible, one that came to nobody comes again after the lease.
 */
import { clearInterval, performance, setInterval } from '../../util/timers.js';
import type { Broker, Msg, Unlisten } from './broker.js';
import { deliveryOf } from './delivery.js';

const EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 2_000;
const NANOS = 1e6;
const LOOK_MS = 1_000;
/** Milliseconds for a consumer to answer that it has forgotten requests. */
const FORGET_MS = 2_000;
/** Milliseconds after its last message for which a consumer counts as one that gives. */
const ACTIVE_MS = 100;

/** A durable consumer at the broker. */
export interface PulledConsumer<N extends string> {
  /** What it is called here: a part of subjects. */
  readonly name: N;
  readonly stream: string;
  readonly consumer: string;
  /** Whether it is asked for all that there is room for, also when it gave nothing for a while. */
  readonly steady: boolean;
}

/** One request that is open at the broker. */
interface Request {
  readonly inbox: number;
  left: number;
  heard: number;
}

/** What is open at one consumer. */
interface Lane<N extends string> {
  readonly from: PulledConsumer<N>;
  readonly requests: Map<number, Request>;
  open: number;
  /** When it gave a message last. */
  last: number;
}

export class Puller<N extends string> {
  readonly #broker: Broker;
  readonly #inbox: string;
  readonly #take: (message: Msg, name: N) => void;
  readonly #lost: () => void;
  readonly #lanes: readonly Lane<N>[];
  readonly #drain: () => Promise<void>;
  readonly #unlisten: Unlisten;
  readonly #timer: NodeJS.Timeout;
  #next = 1;
  #room = 0;
  #stopped = false;
  #drained: Promise<void> | undefined;

  /**
   * @param consumers The most urgent first.
   * @param take Called with each message, and the name of its consumer.
   * @param lost Called when the broker says that a consumer is gone.
   */
  constructor(
    broker: Broker,
    consumers: readonly PulledConsumer<N>[],
    take: (message: Msg, name: N) => void,
    lost: () => void,
  ) {
    this.#broker = broker;
    this.#lanes = consumers.map((from) => ({ from, requests: new Map(), open: 0, last: Number.NEGATIVE_INFINITY }));
    this.#take = take;
    this.#lost = lost;
    this.#inbox = broker.inbox();
    this.#drain = broker.subscribeDraining(`${this.#inbox}.*.*`, (message) => this.#came(message));
    this.#unlisten = broker.onUp(() => this.renew());
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Whether the broker may send something that was asked for. */
  get asking(): boolean {
    return this.#lanes.some(({ open }) => open > 0);
  }

  /** From here on there is room for so many messages more. */
  demand(room: number): void {
    this.#room = room;
    if (this.#stopped || room <= 0 || !this.#broker.up) return;
    const recent = performance.now() - ACTIVE_MS;
    let rest = room;
    for (const lane of this.#lanes) {
      const active = lane.last > recent;
      const target = active || lane.from.steady ? Math.max(1, rest) : 1;
      if (active) rest -= target;
      const wanted = target - lane.open;
      // Small requests for what became free would be as many as the messages.
      if (wanted <= 0 || (lane.open > 0 && wanted * 4 < target)) continue;
      this.#ask(lane, wanted);
    }
  }

  /** Forgets what is open, and asks anew. */
  renew(): void {
    for (const lane of this.#lanes) {
      lane.requests.clear();
      lane.open = 0;
    }
    this.demand(this.#room);
  }

  /**
   * Asks for nothing more. Resolves when nothing comes any more, and the broker has no request left.
   * Until then, what was sent still comes.
   */
  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true;
      clearInterval(this.#timer);
      this.#unlisten();
      this.#drained = this.#end();
    }
    await this.#drained;
  }

  async #end(): Promise<void> {
    const asked = this.#lanes.filter(({ open }) => open > 0);
    const drained = this.#drain();
    // Said in one breath: the requests have nobody who listens for as short a time as can be.
    await Promise.all(asked.map(({ from }) => forgetRequests(this.#broker, from.stream, from.consumer)));
    await drained;
  }

  #ask(lane: Lane<N>, batch: number): void {
    const request: Request = { inbox: this.#next++, left: batch, heard: performance.now() };
    lane.requests.set(request.inbox, request);
    lane.open += batch;
    const { name, stream, consumer } = lane.from;
    const body = JSON.stringify({ batch, expires: EXPIRES_MS * NANOS, idle_heartbeat: HEARTBEAT_MS * NANOS });
    this.#broker.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
      body,
      `${this.#inbox}.${name}.${request.inbox}`,
    );
  }

  #came(message: Msg): void {
    // Status messages come to the inbox, messages have the subject that they were published to; which
    // request they answer is not said, so the oldest is taken to be answered first.
    const status = statusOf(message);
    if (status === 0) {
      const { stream } = deliveryOf(message);
      const lane = this.#lanes.find(({ from }) => from.stream === stream);
      if (lane === undefined) return;
      const [oldest] = lane.requests.values();
      if (oldest !== undefined) this.#answered(lane, oldest, 1);
      lane.last = performance.now();
      this.#take(message, lane.from.name);
      return;
    }
    const [name, number] = message.subject.slice(this.#inbox.length + 1).split('.');
    const lane = this.#lanes.find(({ from }) => from.name === name);
    const request = lane?.requests.get(Number(number));
    if (status === 503 || (status === 409 && /deleted/i.test(message.headers?.description ?? ''))) {
      if (lane !== undefined && request !== undefined) this.#answered(lane, request, request.left);
      if (!this.#stopped) this.#lost();
      return;
    }
    if (lane === undefined || request === undefined) return;
    if (status === 100) {
      request.heard = performance.now();
      return;
    }
    // 404, 408, 409: nothing more comes for it.
    this.#answered(lane, request, request.left);
    this.demand(this.#room);
  }

  #answered(lane: Lane<N>, request: Request, count: number): void {
    request.left -= count;
    request.heard = performance.now();
    lane.open -= count;
    if (request.left <= 0) lane.requests.delete(request.inbox);
  }

  /** Requests of which nothing was heard are gone. */
  #look(): void {
    if (!this.#broker.up) return;
    const due = performance.now() - 3 * HEARTBEAT_MS;
    for (const lane of this.#lanes) {
      for (const request of [...lane.requests.values()])
        if (request.heard < due) this.#answered(lane, request, request.left);
    }
    this.demand(this.#room);
  }
}

/**
 * Has a consumer forget requests of those who have left. Resolves when it has, or does not answer.
 *
 * A request without a listener stays with the consumer until that looks. Meanwhile a message that
 * comes back is taken for it and handed to nobody: a server of 2.9 keeps it for the lease, later ones
 * put it behind the others. The consumer looks when it is asked about itself.
 */
export async function forgetRequests(broker: Broker, stream: string, consumer: string): Promise<void> {
  await broker.request(`$JS.API.CONSUMER.INFO.${stream}.${consumer}`, '', FORGET_MS);
}

function statusOf(message: Msg): number {
  // Messages with a reply are from the stream: the reply is where they are acknowledged.
  if (message.reply !== '') return 0;
  return message.headers?.code ?? 0;
}
