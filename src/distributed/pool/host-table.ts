/** The hosts of a pool, by what they say of themselves once a second. */
import { Subject } from 'rxjs';
import { subWarning } from '../../util/logger.js';
import { clearInterval, clearTimeout, performance, setInterval, setTimeout } from '../../util/timers.js';
import { type Broker, type Msg, messageOf, type Unlisten } from '../broker/index.js';
import { type HostInfo, type PoolNames, readHost } from '../wire/index.js';
import type { DistributedPoolEvent } from './events.js';

/** Milliseconds of silence after which a host counts as lost. */
const SILENCE_MS = 3_500;
const LOOK_MS = 500;
/** Milliseconds for hosts to answer when they are asked. */
const ANSWER_MS = 300;

interface Entry {
  info: HostInfo;
  heard: number;
}

export class HostTable {
  readonly events = new Subject<DistributedPoolEvent>();
  readonly #broker: Broker;
  readonly #names: PoolNames;
  readonly #changed: () => void;
  readonly #hosts = new Map<string, Entry>();
  readonly #unlisten: Unlisten[] = [];
  readonly #timer: NodeJS.Timeout;

  /** @param changed Called when hosts come or go. */
  constructor(broker: Broker, names: PoolNames, changed: () => void) {
    this.#broker = broker;
    this.#names = names;
    this.#changed = changed;
    const heard = (message: Msg): void => void this.#heard(message.data);
    this.#unlisten.push(
      broker.subscribe(names.allHosts, heard),
      broker.onDown(() => this.events.next({ type: 'broker-lost' })),
      broker.onUp(() => {
        // While it was away nobody could be heard.
        for (const entry of this.#hosts.values()) entry.heard = performance.now();
        this.events.next({ type: 'broker-back' });
      }),
    );
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Those that are there, as they said of themselves last. */
  get all(): HostInfo[] {
    return [...this.#hosts.values()].map(({ info }) => info);
  }

  /** Workers of those that take tasks. */
  get processes(): number {
    let sum = 0;
    for (const { info } of this.#hosts.values()) if (info.state === 'ready') sum += info.processes;
    return sum;
  }

  has(id: string): boolean {
    return this.#hosts.has(id);
  }

  /** Asks all. Resolves when those that are known have answered, or had the time to. */
  async ask(): Promise<HostInfo[]> {
    const inbox = this.#broker.inbox();
    const awaited = new Set(this.#hosts.keys());
    const known = awaited.size > 0;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => done(), ANSWER_MS);
      const unlisten = this.#broker.subscribe(inbox, ({ data }) => {
        if (data.length > 0) awaited.delete(this.#heard(data) ?? '');
        // Known ones first; others have the rest of the time only when none is known.
        if (known && awaited.size === 0) done();
      });
      const done = (): void => {
        clearTimeout(timer);
        unlisten();
        resolve();
      };
      this.#broker.publish(this.#names.query, '', inbox);
    });
    return this.all;
  }

  close(): void {
    clearInterval(this.#timer);
    for (const unlisten of this.#unlisten) unlisten();
    this.events.complete();
  }

  #heard(bytes: Uint8Array): string | undefined {
    let info: HostInfo;
    try {
      info = readHost(bytes);
    } catch (error) {
      subWarning('DistributedPool: %s', messageOf(error));
      return undefined;
    }
    const known = this.#hosts.get(info.id);
    if (info.state === 'left') {
      if (this.#hosts.delete(info.id)) this.#tell('host-leave', info);
      return info.id;
    }
    this.#hosts.set(info.id, { info, heard: performance.now() });
    if (known === undefined) this.#tell('host-join', info);
    if (info.state === 'draining' && known?.info.state !== 'draining') this.#tell('host-drain', info);
    return info.id;
  }

  #look(): void {
    if (!this.#broker.up) return;
    const due = performance.now() - SILENCE_MS;
    for (const [id, { info, heard }] of this.#hosts) {
      if (heard >= due) continue;
      this.#hosts.delete(id);
      this.#tell('host-lost', info);
    }
  }

  #tell(type: 'host-join' | 'host-drain' | 'host-leave' | 'host-lost', host: HostInfo): void {
    this.events.next({ type, host });
    this.#changed();
  }
}
