/**
 * Every order of steps of a pool and one worker that runs several items at once, over a real Link: what is to stop is read as it was
 * named, each result finds its item, and when the worker dies the count of begun items says which they were.
 *
 * The two agents do with link and control words what ConcurrentInbox and ConcurrentDeadlines (src/pool/workers) do, and
 * ConcurrentItems (src/pool/worker/concurrent-items.ts) there, without what runs around it.
 */
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { describe, expect, it, vi } from 'vitest';
import { LinkSide } from '../../src/memory/index.js';
import {
  ABORT_INDEX,
  ABORT_SEQUENCE,
  ABORT_TICKET,
  KIND,
  MessageKind,
  STARTED_ITEMS,
  Status,
} from '../../src/pool/wire/protocol.js';
import { type Agent, type ExplorerOptions, explore, type Report, type Scenario } from '../support/explorer.js';
import { CONTROL_BYTES, rewrittenMemory } from '../support/rewritten-memory.js';

vi.setConfig({ testTimeout: 300_000 });

/** Items of each record, what is named to stop, and mistakes that must be found. */
interface Course {
  readonly batches: readonly number[];
  readonly stops: readonly (readonly [sequence: number, index: number])[];
  readonly limit: number;
  readonly careless?: 'names the next at once' | 'counts late';
}

interface Held {
  readonly sequence: number;
  readonly items: number;
  readonly ended: number[];
}

const nothing = { total: 0, *layout() {} };

function scenario(memory: Record<string, any>, { batches, stops, limit, careless }: Course): Scenario {
  const capacity = 64;
  const region = { buffer: new ArrayBuffer(CONTROL_BYTES + 2 * memory['ringBytes'](capacity)) };
  const bells = { parent: 'parent', worker: 'worker' };
  const up = new memory['Link'](region, capacity, LinkSide.Parent, bells, () => {});
  const down = new memory['Link'](region, capacity, LinkSide.Worker, bells, () => {});
  const held: Held[] = [];
  const named: (readonly [number, number])[] = [];
  const taken: number[][] = [];
  const begun: string[] = [];
  const ended: string[] = [];
  let results = 0;
  let open = false;
  let inferred: string[] | null = null;

  function* name(): Generator<any, void, any> {
    if (open || named.length === stops.length) return;
    const stop = stops[named.length]!;
    named.push(stop);
    open = careless !== 'names the next at once';
    yield ['write', up.control, ABORT_SEQUENCE, stop[0]];
    yield ['write', up.control, ABORT_INDEX, stop[1]];
    yield ['add', up.control, ABORT_TICKET, 1];
    yield ['ring', 'worker'];
  }

  function* receive(): Generator<any, void, any> {
    while (yield* up.receive()) {
      const { id, kind } = up;
      const index = yield* up.state();
      yield* up.release();
      if ((kind & KIND) === MessageKind.AbortTaken) open = false;
      else {
        const at = held.findIndex(({ sequence }) => sequence === id);
        ok(at >= 0 && !held[at]!.ended.includes(index), 'a result for nothing');
        held[at]!.ended.push(index);
        results++;
        if (held[at]!.ended.length === held[at]!.items) held.splice(at, 1);
      }
      yield ['at', 'received', held, named.length, results, open, up];
    }
  }

  function* drain(): Generator<any, boolean, any> {
    const dead = yield ['dead', 'worker'];
    yield* receive();
    if (!dead) return true;
    let running = (yield ['load', up.control, STARTED_ITEMS]) - results;
    inferred = [];
    // As ConcurrentInbox.conclude: items begin in order, so those that run are the first of the oldest batches.
    for (const { sequence, items, ended: done } of held) {
      const ran = Math.min(items - done.length, running);
      running -= ran;
      for (let index = 0; index < done.length + ran; index++)
        if (!done.includes(index)) inferred.push(`${sequence}.${index}`);
    }
    return false;
  }

  function* parent(): Agent {
    for (let i = 0; i < batches.length; i++) {
      yield* up.send(MessageKind.Chunk, batches[i], Status.Queued, nothing);
      yield* up.wake();
      held.push({ sequence: i + 1, items: batches[i]!, ended: [] });
    }
    while (held.length > 0 || open || named.length < stops.length) {
      yield ['at', 'looks', held, named.length, results, open, up];
      yield* name();
      if (!(yield* drain())) return;
      if ((held.length > 0 || open) && (yield* up.sleep())) yield ['sleep'];
    }
  }

  function* worker(): Agent {
    const running: [number, number][] = [];
    let ticket = 0;
    let sequence = 0;
    let opened: { sequence: number; items: number; next: number } | null = null;
    let ends = 0;
    const all = batches.reduce((sum, items) => sum + items, 0);
    while (ends < all || taken.length < stops.length) {
      yield ['at', running, ticket, sequence, opened, begun, ended, taken, down];
      const now = yield ['load', down.control, ABORT_TICKET];
      if (now !== ticket) {
        ticket = now;
        const stop = [yield ['read', down.control, ABORT_SEQUENCE], yield ['read', down.control, ABORT_INDEX]];
        taken.push(stop);
        yield* down.send(MessageKind.AbortTaken, ticket, 0, nothing);
        yield* down.wake();
        continue;
      }
      const mayBegin = opened !== null && running.length < limit;
      // Which of those that run ends next, or that another begins before.
      const choice =
        running.length === 0
          ? -1
          : (yield ['choose', running.length + (mayBegin || (opened === null && running.length < limit) ? 1 : 0)]) -
            (mayBegin || (opened === null && running.length < limit) ? 1 : 0);
      if (choice >= 0) {
        const [of, index] = running.splice(choice, 1)[0]!;
        ended.push(`${of}.${index}`);
        ends++;
        yield* down.send(MessageKind.Value, of, index, nothing);
        yield* down.wake();
      } else if (opened !== null) {
        const index: number = opened.next++;
        const one = `${opened.sequence}.${index}`;
        if (careless !== 'counts late') yield ['store', down.control, STARTED_ITEMS, begun.length + 1];
        begun.push(one);
        running.push([opened.sequence, index]);
        if (careless === 'counts late') {
          yield ['at', running, ticket, sequence, opened, begun, ended, taken, down];
          yield ['store', down.control, STARTED_ITEMS, begun.length];
        }
        if (opened.next === opened.items) opened = null;
      } else if (yield* down.receive()) {
        sequence++;
        const { id } = down;
        ok(yield* down.claim(Status.Queued, Status.Started));
        // Given back as soon as it is decoded.
        yield* down.release();
        opened = { sequence, items: id, next: 0 };
      } else if (running.length === 0 && (yield* down.sleep())) yield ['sleep'];
    }
  }

  return {
    memory: region.buffer,
    agents: { parent: parent(), worker: worker() },
    end(dead) {
      deepStrictEqual(taken, named.slice(0, taken.length), 'something else is to stop');
      if (dead.size === 0) {
        strictEqual(held.length, 0);
        strictEqual(taken.length, stops.length);
        deepStrictEqual([...ended].sort(), [...begun].sort());
        return;
      }
      if (inferred === null) return;
      // What had begun and has no result that was read ran when the worker died.
      const answered = new Set(ended);
      for (const one of begun) ok(inferred.includes(one) || answered.has(one), `${one} ran, and would run again`);
      for (const one of inferred) ok(begun.includes(one) || one === `${begun.length}`, `${one} did not run`);
    },
  };
}

const real = rewrittenMemory();

function run(title: string, course: Course, options?: ExplorerOptions): Report {
  const result = explore(() => scenario(real, course), options);
  console.log(`${title}: ${result.states} states, ${result.schedules} schedules of up to ${result.longest} steps`);
  return result;
}

describe('in every order of steps', () => {
  it('what is to stop is read as it was named', () => {
    const course: Course = {
      batches: [1],
      stops: [
        [1, 0],
        [2, -1],
      ],
      limit: 1,
    };
    expect(run('stops', course).schedules).toBeGreaterThan(100n);
  });
  it('results find their items', () => {
    expect(run('results', { batches: [1, 1], stops: [], limit: 2 }).schedules).toBeGreaterThan(100n);
  });
  it('a worker that dies leaves behind which items had begun', () => {
    run('dies', { batches: [1, 1], stops: [], limit: 2 }, { crash: ['worker'] });
    run('dies in a chunk', { batches: [2], stops: [], limit: 2 }, { crash: ['worker'] });
  });
});

describe('the explorer finds', () => {
  it('a pool that names the next before the last was read', () => {
    const course: Course = {
      batches: [1],
      stops: [
        [1, 0],
        [2, -1],
      ],
      limit: 1,
      careless: 'names the next at once',
    };
    expect(() => run('names', course)).toThrow(/something else|race|wrong end|waits for ever/);
  });
  it('a worker that counts an item when it has begun it', () => {
    const course: Course = { batches: [1], stops: [], limit: 2, careless: 'counts late' };
    expect(() => run('counts', course, { crash: ['worker'] })).toThrow(/would run again|wrong end/);
  });
});
