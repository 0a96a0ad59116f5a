/**
 * Runs two or three agents in every possible order, over the real code of src/memory (see generatorize.ts).
 *
 * An agent is a generator that yields its next access to shared memory as a step and is resumed with what the access
 * answered. The explorer keeps all agents at such a point, lets one go on, and goes back for each other choice: a
 * depth-first search in which a state that was seen before is not entered again. A generator cannot be copied, so
 * going back means to run the choices again from the start.
 *
 * State: the bytes of the memory; bells, deaths and parked waiters; which accesses are ordered; and for each agent all
 * that it has observed, of which its local variables are a function. That tells apart more states than there are, so
 * an agent may say at an `at` step which variables and objects its further course depends on: all else is forgotten.
 *
 * Violations: an invariant that does not hold after a step, an agent that throws, agents that sleep with nobody left to
 * wake them (a lost wake-up or a deadlock), a wrong end, and data races: two accesses to one word, one of them plain and
 * one a write, without an atomic store by the first that the second has read after (vector clocks as in C. Flanagan and
 * S. Freund, FastTrack, 2009). Atomics are sequentially consistent, and a program without races behaves as if all of it
 * were; so orders of sequentially consistent steps are all there are, on hardware with weak memory too. For the same
 * reason plain accesses need no turn of their own; `plain: 'step'` gives them one nevertheless.
 *
 * Crashes: an agent named in `crash` may stop for ever before any step. The others learn of it later, at any time, by
 * their bells and the `dead` step, as a parent learns of a child's end.
 *
 * Source: P. Godefroid, Model checking for programming languages using VeriSoft (1997).
 */

/**
 * What an agent does next:
 *   load, store, add, sub, and, or, xor, exchange, compareExchange   as of Atomics, with the same operands
 *   read array index, write array index value, set target source at  plain accesses
 *   wait array index expected [timeout], notify array index count    as of Atomics, but waiting only parks the agent; the timeout
 *                                                                    'death' may run out once it is known that an agent died
 *   ring agent, sleep, dead agent                                    bells, and whether an agent is known to be dead
 *   choose n                                                         0 to n - 1: every one is tried
 *   at ...values                                                     nothing happens; see State above
 *   self, history                                                    the agent's number, from 1; a number for all it has observed
 */
export type Step = readonly [operation: string, ...operands: any[]];
/** The body of an agent. It must keep what it notes to itself: other agents may see it only through steps. */
export type Agent = Generator<Step, void, any>;

export interface Scenario {
  readonly memory: ArrayBuffer;
  readonly agents: Readonly<Record<string, Agent>>;
  /** Asserts what must hold between any two steps. May read the memory; throws otherwise. */
  invariant?(): void;
  /** Asserts what must hold when nobody can go on; `dead` crashed. */
  end?(dead: ReadonlySet<string>): void;
  /** Words below this byte offset are for Atomics alone; a plain access is a race whenever it comes. Makes fewer states. */
  readonly atomicBelow?: number;
  /** Name of a byte offset in traces. */
  label?(offset: number): string;
}

export interface ExplorerOptions {
  /** Agents that may crash; at most one does in a run. */
  readonly crash?: readonly string[];
  /** Whether plain accesses are steps of their own. Default: 'race', checked for races only. */
  readonly plain?: 'step' | 'race';
  /** Whether data races are looked for. Words that are accessed atomically only have none, and far fewer states without. Default: true. */
  readonly races?: boolean;
  /**
   * Whether plain accesses may race, for protocols that find out afterwards whether what they read was whole (sequence locks).
   * Each must be a step then. Nothing is said of hardware with weak memory.
   */
  readonly racy?: boolean;
  /** Most states before the search gives up, which is a failure. Default 2,000,000. */
  readonly limit?: number;
}

export interface Report {
  /** Different states. */
  readonly states: number;
  /** Different complete orders of steps, all of which lead through those states; where waits may go in circles, at least so many. */
  readonly schedules: bigint;
  /** Steps of the longest. */
  readonly longest: number;
}

/** Something that must not be is possible; the message shows the way there. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

const LONGEST = 2_000;

/** Explores everything. @throws Violation with a trace. */
export function explore(make: () => Scenario, options: ExplorerOptions = {}): Report {
  const seen = new Map<string, bigint>();
  const interned = new Interner();
  const path: Choice[] = [];
  const limit = options.limit ?? 2_000_000;
  let longest = 0;
  let run = new Run(make(), options, interned);

  /** States on the way to the present one, by their depth. */
  const entered = new Map<string, number>();
  /** Left, but only by ways that lead back to a state that is still on the way: Tarjan's stack. */
  const circling: [key: string, low: number][] = [];
  /** How many orders there are from here, and the least depth of a state on the way to which some of them lead back. */
  const visit = (): readonly [bigint, low: number] => {
    const key = run.key();
    const known = seen.get(key);
    if (known !== undefined) return [known, circling.find(([other]) => other === key)?.[1] ?? Number.POSITIVE_INFINITY];
    const back = entered.get(key);
    if (back !== undefined) return [0n, back];
    if (seen.size >= limit) throw new Error(`The explorer stopped after ${limit} states; make the scenario smaller.`);
    const depth = path.length;
    longest = Math.max(longest, depth);
    if (depth > LONGEST) run.fail(`the agents went on for ${LONGEST} steps`);
    const choices = run.choices();
    if (!choices.some((choice) => choice.kind !== 'crash')) {
      run.finish();
      if (choices.length === 0) {
        seen.set(key, 1n);
        return [1n, Number.POSITIVE_INFINITY];
      }
    }
    entered.set(key, depth);
    let schedules = 0n;
    let low = Number.POSITIVE_INFINITY;
    choices.forEach((choice, index) => {
      if (index > 0) {
        run = new Run(make(), options, interned);
        for (const earlier of path) run.apply(earlier);
      }
      path.push(choice);
      run.apply(choice);
      run.check();
      const [more, lowest] = visit();
      schedules += more;
      low = Math.min(low, lowest);
      path.pop();
    });
    entered.delete(key);
    seen.set(key, schedules);
    if (low < depth) {
      circling.push([key, low]);
      return [schedules, low];
    }
    if (low === depth) {
      if (schedules === 0n) run.fail('the agents go on for ever: no way from here comes to an end');
      while (circling.length > 0 && circling[circling.length - 1]![1] >= depth) {
        const [other] = circling.pop()!;
        if (seen.get(other) === 0n) seen.set(other, 1n);
      }
    }
    return [schedules, Number.POSITIVE_INFINITY];
  };

  const [schedules] = visit();
  return { states: seen.size, schedules, longest };
}

/** Runs what an agent does before the others begin. @param self Its number. */
export function before<R>(agent: Generator<any, R, any>, self: number): R {
  let next = agent.next();
  while (next.done !== true) {
    const [operation, ...operands] = next.value as Step;
    let answer: unknown;
    if (operation === 'self') answer = self;
    else if (operation === 'dead') answer = false;
    else if (operation === 'read') answer = operands[0][operands[1]];
    else if (operation === 'write') operands[0][operands[1]] = operands[2];
    else if (operation in Atomics && operation !== 'notify') answer = (Atomics as any)[operation](...operands);
    else if (!/^(at|history|notify)$/.test(operation)) throw new Error(`before: ${operation} is for agents that run`);
    next = agent.next(answer);
  }
  return next.value;
}

interface Choice {
  readonly kind: 'step' | 'timeout' | 'crash' | 'announce';
  readonly agent: number;
  /** Answer of a `choose`. */
  readonly value: number;
}

/** Numbers for strings and for sequences, the same for the same. */
class Interner {
  readonly #numbers = new Map<string, number>();

  of(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(text, number);
    }
    return number;
  }
}

interface AgentState {
  readonly name: string;
  readonly body: Agent;
  /** Its next step, or `null` when it has returned. */
  next: Step | null;
  /** Number of the sequence of all it has observed. */
  history: number;
  rung: boolean;
  parked: 'no' | 'parked' | 'notified';
  dead: boolean;
  /** Whether the others know. */
  announced: boolean;
}

class Run {
  readonly #scenario: Scenario;
  readonly #options: ExplorerOptions;
  readonly #interned: Interner;
  readonly #agents: AgentState[];
  readonly #clocks: Clocks;
  /** Parked agents by the word they wait on, in order. */
  readonly #queues = new Map<number, number[]>();
  readonly #trace: (() => string)[] = [];

  constructor(scenario: Scenario, options: ExplorerOptions, interned: Interner) {
    this.#scenario = scenario;
    this.#options = options;
    this.#interned = interned;
    this.#agents = Object.entries(scenario.agents).map(([name, body]) => ({
      name,
      body,
      next: null,
      history: -1,
      rung: false,
      parked: 'no',
      dead: false,
      announced: false,
    }));
    this.#clocks = new Clocks(this.#agents.length, scenario.memory.byteLength, scenario.atomicBelow ?? 0);
    for (let agent = 0; agent < this.#agents.length; agent++) this.#resume(agent, undefined);
  }

  choices(): Choice[] {
    const choices: Choice[] = [];
    this.#agents.forEach((state, agent) => {
      if (state.dead && !state.announced) choices.push({ kind: 'announce', agent, value: 0 });
      if (state.dead || state.next === null) return;
      const [operation, ...operands] = state.next;
      if (operation === 'choose')
        for (let value = 0; value < operands[0]; value++) choices.push({ kind: 'step', agent, value });
      else if (state.parked !== 'parked' && (operation !== 'sleep' || state.rung))
        choices.push({ kind: 'step', agent, value: 0 });
      if (state.parked === 'parked' && this.#mayEnd(operands[3])) choices.push({ kind: 'timeout', agent, value: 0 });
    });
    if (!this.#agents.some((state) => state.dead)) {
      this.#agents.forEach((state, agent) => {
        if (state.next !== null && this.#options.crash?.includes(state.name))
          choices.push({ kind: 'crash', agent, value: 0 });
      });
    }
    return choices;
  }

  #mayEnd(timeout: unknown): boolean {
    return timeout === 'death' ? this.#agents.some((state) => state.announced) : Number.isFinite(timeout);
  }

  apply(choice: Choice): void {
    const state = this.#agents[choice.agent]!;
    switch (choice.kind) {
      case 'crash':
        state.dead = true;
        for (const queue of this.#queues.values()) remove(queue, choice.agent);
        this.#trace.push(() => `${state.name}: dies`);
        return;
      case 'announce':
        state.announced = true;
        for (const other of this.#agents) other.rung = true;
        this.#trace.push(() => `everyone learns that ${state.name} died`);
        return;
      case 'timeout':
        for (const queue of this.#queues.values()) remove(queue, choice.agent);
        state.parked = 'no';
        this.#note(state, 'timed-out');
        this.#resume(choice.agent, 'timed-out');
        return;
      default:
        this.#step(choice.agent, choice.value);
    }
  }

  /** Nobody can go on: everyone must have ended, and well. */
  finish(): void {
    for (const { name, dead, next } of this.#agents) {
      if (!dead && next !== null) this.fail(`${name} waits for ever (${next[0]})`);
    }
    try {
      this.#scenario.end?.(new Set(this.#agents.filter((state) => state.dead).map((state) => state.name)));
    } catch (error) {
      this.fail(`wrong end: ${String(error)}`);
    }
  }

  key(): string {
    const memory = Buffer.from(this.#scenario.memory).toString('latin1');
    const agents = this.#agents.map(
      (state) =>
        `${state.history}${state.rung ? 'r' : ''}${state.parked[0]}${state.dead ? 'd' : ''}${state.announced ? 'a' : ''}`,
    );
    const queues = [...this.#queues]
      .map(([word, queue]) => (queue.length > 0 ? `${word}=${queue.join('+')}` : ''))
      .join();
    return `${this.#interned.of(memory)};${agents.join()};${queues};${this.#options.races === false ? '' : this.#interned.of(this.#clocks.text())}`;
  }

  fail(what: string): never {
    throw new Violation(
      `${what}\n${this.#trace.map((line, index) => `${String(index + 1).padStart(4)}  ${line()}`).join('\n')}`,
    );
  }

  check(): void {
    try {
      this.#scenario.invariant?.();
    } catch (error) {
      this.fail(`an invariant does not hold: ${String(error)}`);
    }
  }

  /** Performs the agent's next step, and the plain accesses after it. */
  #step(agent: number, chosen: number): void {
    const state = this.#agents[agent]!;
    const next = state.next!;
    if (next[0] === 'wait' && state.parked === 'no') {
      const [, array, index, expected] = next;
      if (this.#atomic(agent, ['load', array, index]) === expected) {
        const word = offsetOf(array, index);
        this.#queues.set(word, [...(this.#queues.get(word) ?? []), agent]);
        state.parked = 'parked';
        this.#note(state, 'parks');
        return;
      }
      this.#note(state, 'not-equal');
      this.#resume(agent, 'not-equal');
      return;
    }
    const answer = this.#perform(agent, next, chosen);
    this.#note(state, answer);
    this.#resume(agent, answer);
  }

  #resume(agent: number, answer: unknown): void {
    const state = this.#agents[agent]!;
    for (let value = answer; ; ) {
      const at = state.next?.[0] === 'at' ? state.next.slice(1).map(summary).join() : undefined;
      state.history = this.#interned.of(at === undefined ? `${state.history}:${String(value)}` : `at ${agent}:${at}`);
      let result: IteratorResult<Step, void>;
      try {
        result = state.body.next(value);
      } catch (error) {
        this.fail(`${state.name} throws: ${error instanceof Error ? error.stack : String(error)}`);
      }
      state.next = result.done === true ? null : result.value;
      if (state.next === null) return;
      if (state.next[0] === 'at') value = undefined;
      else if (state.next[0] === 'self') value = agent + 1;
      else if (state.next[0] === 'history') value = state.history;
      else if (state.next[0] === 'dead' && !this.#options.crash?.includes(state.next[1])) value = false;
      else if (this.#options.plain !== 'step' && /^(read|write|set)$/.test(state.next[0]))
        value = this.#perform(agent, state.next, 0);
      else return;
    }
  }

  #perform(agent: number, step: Step, chosen: number): unknown {
    const state = this.#agents[agent]!;
    const [operation, ...operands] = step;
    switch (operation) {
      case 'read':
        this.#plain(agent, 'read', operands[0], operands[1], 1);
        return operands[0][operands[1]];
      case 'write':
        this.#plain(agent, 'write', operands[0], operands[1], 1);
        operands[0][operands[1]] = operands[2];
        return undefined;
      case 'set':
        this.#plain(agent, 'read', operands[1], 0, operands[1].length);
        this.#plain(agent, 'write', operands[0], operands[2], operands[1].length);
        operands[0].set(operands[1], operands[2]);
        return undefined;
      case 'ring':
        this.#agents.find((other) => other.name === operands[0])!.rung = true;
        return undefined;
      case 'sleep':
        state.rung = false;
        return undefined;
      case 'dead':
        return this.#agents.some((other) => other.name === operands[0] && other.announced);
      case 'choose':
        return chosen;
      case 'wait':
        state.parked = 'no';
        return 'ok';
      case 'notify': {
        const woken = (this.#queues.get(offsetOf(operands[0], operands[1])) ?? []).splice(
          0,
          operands[2] ?? Number.POSITIVE_INFINITY,
        );
        for (const other of woken) this.#agents[other]!.parked = 'notified';
        return woken.length;
      }
      default:
        return this.#atomic(agent, step);
    }
  }

  #atomic(agent: number, step: Step): unknown {
    const [operation, array, index, ...operands] = step;
    const word = offsetOf(array, index) >> 2;
    const answer = (Atomics as any)[operation](array, index, ...operands);
    const writes = operation === 'compareExchange' ? answer === operands[0] : operation !== 'load';
    const other = this.#clocks.atomic(agent, word, operation !== 'store', writes);
    if (other >= 0) this.#race(agent, other, word);
    return answer;
  }

  #plain(
    agent: number,
    kind: 'read' | 'write',
    array: ArrayBufferView & ArrayLike<number>,
    index: number,
    count: number,
  ): void {
    if (array.buffer !== this.#scenario.memory || count === 0) return;
    const last = offsetOf(array, index + count - 1) >> 2;
    for (let word = offsetOf(array, index) >> 2; word <= last; word++) {
      const other = this.#clocks.plain(agent, word, kind === 'write');
      if (other >= 0) this.#race(agent, other, word);
    }
  }

  #race(agent: number, other: number, word: number): void {
    if (this.#options.racy === true) return;
    const [one, two] = [this.#agents[agent]!, this.#agents[other]!];
    this.fail(`data race: ${one.name} (${this.#show(one.next!)}) and ${two.name} on ${this.#label(word * 4)}`);
  }

  #note(state: AgentState, answer: unknown): void {
    const step = state.next!;
    this.#trace.push(() => `${state.name}: ${this.#show(step)}${answer === undefined ? '' : ` -> ${String(answer)}`}`);
  }

  #show([operation, ...operands]: Step): string {
    if (!ArrayBuffer.isView(operands[0])) return [operation, ...operands].join(' ');
    const [array, index, ...values] = operands as [any, any, ...any[]];
    if (operation === 'set') return `set ${this.#label(offsetOf(array, values[0]))} + ${index.length}`;
    return [operation, this.#label(offsetOf(array, index)), ...values].join(' ');
  }

  #label(offset: number): string {
    return this.#scenario.label?.(offset) ?? `byte ${offset}`;
  }
}

/** Happens-before. */
class Clocks {
  readonly #agents: number;
  readonly #words: number;
  readonly #atomicWords: number;
  readonly #clock: Int32Array[];
  readonly #released = new Map<number, Int32Array>();
  /** By kind of access (plain read, plain write, atomic read, atomic write), agent and word. */
  readonly #epochs: Int32Array;
  /** Words that are accessed plainly, at times. */
  readonly #touched = new Set<number>();

  constructor(agents: number, bytes: number, atomicBelow: number) {
    this.#atomicWords = atomicBelow >> 2;
    this.#agents = agents;
    this.#words = bytes >> 2;
    this.#clock = Array.from({ length: agents }, (_, agent) => new Int32Array(agents).fill(1, agent, agent + 1));
    this.#epochs = new Int32Array(4 * agents * this.#words);
  }

  /** @returns an agent whose access races with this one, or -1. */
  plain(agent: number, word: number, write: boolean): number {
    if (word < this.#atomicWords) return (agent + 1) % this.#agents;
    this.#record(write ? 1 : 0, agent, word);
    return this.#unordered(agent, word, write ? [0, 1, 2, 3] : [1, 3]);
  }

  /** As {@link plain}; atomics race only with plain accesses. */
  atomic(agent: number, word: number, reads: boolean, writes: boolean): number {
    const clock = this.#clock[agent]!;
    const released = this.#released.get(word);
    if (reads && released !== undefined)
      for (let i = 0; i < this.#agents; i++) clock[i] = Math.max(clock[i]!, released[i]!);
    let other = -1;
    if (word >= this.#atomicWords) {
      this.#record(writes ? 3 : 2, agent, word);
      other = this.#unordered(agent, word, writes ? [0, 1] : [1]);
    }
    if (writes) {
      this.#released.set(word, clock.slice());
      clock[agent]!++;
    }
    return other;
  }

  /**
   * Which accesses are ordered before what. Of the clocks nothing else counts: only epochs that some other agent has not
   * seen yet can still be part of a race, and of a clock's component only how many of those it has reached.
   */
  text(): string {
    const released = [...this.#released].sort(([a], [b]) => a - b);
    const clocks = [...this.#clock, ...released.map(([, clock]) => clock)];
    let text = released.map(([word]) => word).join();
    for (let agent = 0; agent < this.#agents; agent++) {
      const seen = Math.min(
        ...this.#clock.map((clock, other) => (other === agent ? Number.POSITIVE_INFINITY : clock[agent]!)),
      );
      const live: [place: number, epoch: number][] = [];
      for (const word of this.#touched) {
        for (let kind = 0; kind < 4; kind++) {
          const epoch = this.#epochs[(kind * this.#agents + agent) * this.#words + word]!;
          if (epoch > seen) live.push([word * 4 + kind, epoch]);
        }
      }
      const levels = [...new Set(live.map(([, epoch]) => epoch))].sort((a, b) => a - b);
      const places = live.map(([place, epoch]) => place * 64 + levels.indexOf(epoch)).sort((a, b) => a - b);
      text += `|${places.join()}|`;
      for (const clock of clocks) text += levels.filter((level) => level <= clock[agent]!).length;
    }
    return text;
  }

  #record(kind: number, agent: number, word: number): void {
    this.#touched.add(word);
    this.#epochs[(kind * this.#agents + agent) * this.#words + word] = this.#clock[agent]![agent]!;
  }

  #unordered(agent: number, word: number, kinds: readonly number[]): number {
    for (let other = 0; other < this.#agents; other++) {
      if (other === agent) continue;
      for (const kind of kinds) {
        if (this.#epochs[(kind * this.#agents + other) * this.#words + word]! > this.#clock[agent]![other]!)
          return other;
      }
    }
    return -1;
  }
}

function offsetOf(array: any, index: number): number {
  return array.byteOffset + index * array.BYTES_PER_ELEMENT;
}

/** A value as far as it is an agent's own: objects by their fields, shared memory by its place. */
function summary(value: unknown): string {
  return JSON.stringify(value, (_, part) => {
    if (!ArrayBuffer.isView(part)) return part;
    const array = part as Uint8Array;
    return array.buffer.byteLength === array.byteLength ? [...array] : `${array.byteOffset}+${array.byteLength}`;
  });
}

function remove(queue: number[], agent: number): void {
  const at = queue.indexOf(agent);
  if (at >= 0) queue.splice(at, 1);
}
