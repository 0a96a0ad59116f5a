/**
 * Every order of steps of a pool and one worker over a real Link: each item runs once, or is taken back, or is stopped.
 *
 * The two agents do with the link what WorkerHandle (src/pool/workers/worker-handle.ts) and WorkerLoop (src/pool/worker/worker-loop.ts) do,
 * without what runs around it: sending, #withdraw, stop, #drain and #ended there; #take, #item and #settle here.
 */
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { describe, expect, it, vi } from 'vitest';
import { LinkSide } from '../../src/memory/index.js';
import { Flag, KIND, MessageKind, STARTED_ITEMS, STATUS, Status } from '../../src/pool/wire/protocol.js';
import { type Agent, type ExplorerOptions, explore, type Report, type Scenario } from '../support/explorer.js';
import { CONTROL_BYTES, rewrittenMemory } from '../support/rewritten-memory.js';
import type { Mutation } from '../support/source-text.js';

// A search takes seconds, on a busy machine many; it ends by itself at its limit of states.
vi.setConfig({ testTimeout: 300_000 });

/** What the pool does, in order; at the end it waits for all that is not taken back. */
type Course = readonly (
  | readonly ['send', batch: number, items: number]
  | readonly ['withdraw' | 'stop', batch: number]
)[];

interface Batch {
  readonly batch: number;
  readonly items: number;
  position: number;
  received: number;
}

const nothing = { total: 0, *layout() {} };
const item = (batch: number, index: number): number => batch * 16 + index;

function scenario(memory: Record<string, any>, course: Course): Scenario {
  // Four records without payload fill a ring.
  const capacity = 64;
  const region = { buffer: new ArrayBuffer(CONTROL_BYTES + 2 * memory['ringBytes'](capacity)) };
  const bells = { parent: 'parent', worker: 'worker' };
  const up = new memory['Link'](region, capacity, LinkSide.Parent, bells, () => {});
  const down = new memory['Link'](region, capacity, LinkSide.Worker, bells, () => {});
  const held: Batch[] = [];
  const results: number[] = [];
  const withdrawn: number[] = [];
  const halted: number[] = [];
  const ran: number[] = [];
  let transferring: Batch | null = null;
  let lost: { batches: Batch[]; blamed: boolean } | null = null;

  function* receive(): Generator<any, void, any> {
    while (yield* up.receive()) {
      const batch = held[0];
      ok(batch !== undefined, 'a result for nothing');
      strictEqual(up.kind & KIND, MessageKind.Value);
      strictEqual(up.id, item(batch.batch, batch.received), 'the result of another item');
      results.push(up.id);
      const isHalted = (up.kind & Flag.Halted) !== 0;
      yield* up.release();
      batch.received++;
      if (isHalted) for (let i = batch.received; i < batch.items; i++) halted.push(item(batch.batch, i));
      if (isHalted || batch.received === batch.items) held.shift();
      yield ['at', 'received', place, held, results, halted, withdrawn, transferring, up];
    }
  }

  let place = 0;

  /** What the bell starts; `false` once the worker is dead and all it left was read. */
  function* drain(): Generator<any, boolean, any> {
    const dead = yield ['dead', 'worker'];
    if (!up.writable && (yield* up.flush())) {
      transferring!.position = up.position;
      transferring = null;
    }
    yield* receive();
    if (dead) {
      lost = {
        batches: [...held],
        blamed: held.length > 0 && (yield ['load', up.control, STARTED_ITEMS]) !== results.length,
      };
      return false;
    }
    yield ['at', 'drained', place, held, results, halted, withdrawn, transferring, up];
    return true;
  }

  function* send(number: number, items: number): Generator<any, void, any> {
    const batch = { batch: number, items, position: 0, received: 0 };
    batch.position = yield* up.send(MessageKind.Chunk, number * 16 + items, Status.Queued, nothing);
    yield* up.wake();
    if (!up.writable) transferring = batch;
    held.push(batch);
  }

  function* parent(): Agent {
    for (const [action, number, items = 0] of course) {
      place++;
      yield ['at', 'course', place, held, results, halted, withdrawn, transferring, up];
      if (action === 'send') {
        while (!up.writable) {
          if (!(yield* drain())) return;
          if (!up.writable && (yield* up.sleep())) yield ['sleep'];
        }
        yield* send(number, items);
        continue;
      }
      const batch = held.find((one) => one.batch === number);
      if (batch === undefined || batch.position < 0) continue;
      if (yield* up.amend(batch.position, Status.Queued, Status.Withdrawn)) {
        for (let i = 0; i < batch.items; i++) withdrawn.push(item(number, i));
        held.splice(held.indexOf(batch), 1);
      } else if (action === 'stop') yield* up.amend(batch.position, Status.Started, Status.Stopped);
    }
    place++;
    while (held.length > 0) {
      if (!(yield* drain())) return;
      if (held.length > 0 && (yield* up.sleep())) yield ['sleep'];
    }
  }

  function* worker(): Agent {
    const expected = course.filter(([action]) => action === 'send').length;
    for (let records = 0; records < expected; ) {
      yield ['at', records, ran, down];
      if (!(yield* down.receive())) {
        if (yield* down.sleep()) yield ['sleep'];
        continue;
      }
      records++;
      if (!(yield* down.claim(Status.Queued, Status.Started))) {
        yield* down.release();
        continue;
      }
      const batch = down.id >> 4;
      const items = down.id & 15;
      for (let i = 0; i < items; i++) {
        yield ['store', down.control, STARTED_ITEMS, ran.length + 1];
        ran.push(item(batch, i));
        const last = i === items - 1;
        const stops = !last && ((yield* down.state()) & STATUS) === Status.Stopped;
        yield* down.send(stops ? MessageKind.Value | Flag.Halted : MessageKind.Value, item(batch, i), 0, nothing);
        yield* down.wake();
        while (!down.writable) {
          yield ['sleep'];
          yield* down.flush();
        }
        if (stops) break;
      }
      yield* down.release();
    }
  }

  return {
    memory: region.buffer,
    agents: { parent: parent(), worker: worker() },
    end(dead) {
      const all = course.flatMap(([action, batch, items]) =>
        action === 'send' ? Array.from({ length: items }, (_, i) => item(batch, i)) : [],
      );
      strictEqual(new Set(ran).size, ran.length, 'an item ran twice');
      if (dead.size === 0) {
        const sorted = (items: readonly number[]) => [...items].sort((a, b) => a - b);
        deepStrictEqual(results, ran);
        deepStrictEqual(sorted([...ran, ...withdrawn, ...halted]), sorted(all));
        return;
      }
      if (lost === null) return; // nothing was held any more
      // The blamed item is the one that ran without a result; all others of the lost batches can be run elsewhere.
      const blamed = lost.blamed ? [item(lost.batches[0]!.batch, lost.batches[0]!.received)] : [];
      const elsewhere = lost.batches.flatMap(({ batch, items, received }) =>
        Array.from({ length: items - received }, (_, i) => item(batch, received + i)),
      );
      for (const one of ran) ok(results.includes(one) !== blamed.includes(one), `item ${one} is lost`);
      for (const one of elsewhere) ok(!ran.includes(one) || blamed.includes(one), `item ${one} would run twice`);
    },
  };
}

const real = rewrittenMemory();

function run(title: string, course: Course, options?: ExplorerOptions, mutation?: Mutation): Report {
  const memory = mutation === undefined ? real : rewrittenMemory(mutation);
  const result = explore(() => scenario(memory, course), options);
  console.log(`${title}: ${result.states} states, ${result.schedules} schedules of up to ${result.longest} steps`);
  return result;
}

const courses: Readonly<Record<string, Course>> = {
  'the batch sent last is taken back': [
    ['send', 1, 1],
    ['send', 2, 2],
    ['withdraw', 2],
  ],
  'a batch is stopped while its items run': [
    ['send', 1, 2],
    ['stop', 1],
    ['send', 2, 1],
  ],
  'a batch is taken back for another, which is stopped': [
    ['send', 1, 1],
    ['withdraw', 1],
    ['send', 2, 2],
    ['stop', 2],
  ],
};

describe('in every order of steps each item runs once or is taken back once', () => {
  for (const [title, course] of Object.entries(courses)) {
    it(`when ${title}`, () => {
      expect(run(title, course).schedules).toBeGreaterThan(100n);
    });
    it(`when ${title} and the worker dies`, () => {
      run(`${title}, worker dies`, course, { crash: ['worker'] });
    });
  }
});

describe('the explorer finds', () => {
  it('a worker that takes a batch without compare-and-set', () => {
    const careless: Mutation = {
      file: 'memory/ring/link',
      from: 'return Atomics.compareExchange(this.#in.words, this.#in.position, expected, replacement) === expected;',
      to: 'const was = Atomics.load(this.#in.words, this.#in.position); Atomics.store(this.#in.words, this.#in.position, replacement); return was === expected;',
    };
    expect(() => run('careless', courses['the batch sent last is taken back']!, {}, careless)).toThrow(
      /wrong end|waits for ever|for nothing/,
    );
  });
});
