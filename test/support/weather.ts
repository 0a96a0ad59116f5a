/** What befalls a pool of many hosts in a storm: agents, the broker and connections, at random. */
import { setTimeout as delay } from 'node:timers/promises';
import { type AgentProcess, startAgent } from './agents.js';
import type { Nats } from './nats.js';
import type { TcpProxy } from './tcp-proxy.js';

/** Gives whole numbers from 0 to `bound` - 1. */
export type Random = (bound: number) => number;

/** Random numbers that a seed repeats. */
export function randomOf(seed: number): Random {
  let state = seed;
  return (bound) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * bound);
  };
}

export class Weather {
  readonly agents: AgentProcess[] = [];
  readonly #pool: string;
  readonly #nats: Nats;
  readonly #proxy: TcpProxy;
  readonly #random: Random;
  readonly #standstills: boolean;
  #over = false;
  #blowing: Promise<void> = Promise.resolve();

  /**
   * @param standstills Whether connections are slow and stand still too, and the broker is stopped: a
   * process may then be cut off for seconds without hearing of it.
   */
  constructor(pool: string, nats: Nats, proxy: TcpProxy, random: Random, standstills: boolean) {
    this.#standstills = standstills;
    this.#pool = pool;
    this.#nats = nats;
    this.#proxy = proxy;
    this.#random = random;
  }

  /** Starts some agents; each reaches the broker by itself, or through the proxy. */
  async start(agents: number): Promise<void> {
    this.agents.push(...(await Promise.all(Array.from({ length: agents }, () => this.#agent()))));
  }

  /** From here on something happens every second or so. */
  blow(): void {
    this.#blowing = this.#blow();
  }

  /** Calms down. Rejects with what an event failed with. */
  async calm(): Promise<void> {
    this.#over = true;
    await this.#blowing;
  }

  async end(): Promise<void> {
    await this.calm().catch(() => {});
    for (const { child, ended } of this.agents) {
      child.kill('SIGKILL');
      await ended;
    }
  }

  #agent(): Promise<AgentProcess> {
    const through = `nats://127.0.0.1:${this.#proxy.port}`;
    return startAgent(this.#random(2) === 0 ? this.#nats.servers : through, this.#pool, ['--lease', '1000']);
  }

  /** Something befalls all connections that pass the proxy. */
  async #disturb(how: number): Promise<void> {
    const proxy = this.#proxy;
    if (how === 0) proxy.cut();
    else if (how === 1) proxy.halfClose();
    else if (how === 2) {
      proxy.delay = 1 + this.#random(300);
      await delay(this.#random(2_500));
      proxy.delay = 0;
    } else {
      proxy.hold();
      await delay(this.#random(2_500));
      proxy.release();
    }
  }

  async #blow(): Promise<void> {
    const random = this.#random;
    while (!this.#over) {
      await delay(300 + random(1_200));
      if (this.#over) break;
      const what = random(10);
      const at = random(this.agents.length);
      const { child, ended } = this.agents[at]!;
      if (what < 4) {
        child.kill('SIGKILL');
        await ended;
        this.agents[at] = await this.#agent();
      } else if (what < 6) {
        child.kill('SIGSTOP');
        await delay(random(2_500));
        child.kill('SIGCONT');
      } else if (what < 7) {
        child.kill('SIGTERM');
        await ended;
        this.agents[at] = await this.#agent();
      } else if (what < 9) {
        await this.#disturb(random(this.#standstills ? 4 : 2));
      } else if (!this.#standstills || random(2) === 0) {
        await this.#nats.kill();
        await delay(random(1_000));
        await this.#nats.restart();
      } else {
        process.kill(this.#nats.pid, 'SIGSTOP');
        await delay(random(2_500));
        process.kill(this.#nats.pid, 'SIGCONT');
      }
    }
  }
}
