/**
 * Every order of steps over the one slot for large items of a queue: consumers that sweep up what it held, of whom the first may die at any step,
 * a producer that waits for it, and one who gives its pages back. Both locks are modelled.
 */
import { ok, strictEqual } from 'node:assert';
import { describe, expect, it, vi } from 'vitest';
import { RecordKind } from '../../src/queues/shared/item-memory.js';
import { type Agent, explore, type Report, type Scenario } from '../support/explorer.js';
import { alone, newGround, rewrittenMemories } from '../support/rewritten-queues.js';
import type { Mutation } from '../support/source-text.js';

vi.setConfig({ testTimeout: 300_000 });

const HANDLE = { ino: 'attached' };
type Name = 'producer' | 'first' | 'second' | 'rester';

function slot(protocol: Record<string, any>, names: readonly Name[]): Scenario {
  const { memory, board } = newGround(256, names);
  const last = new protocol['QueueMemory']({ maxSize: 0, capacity: 128, completeOnLoss: false, writers: 1 });
  const payload = {
    *layout(target: Uint8Array, offset: number): Agent {
      // The upper half of 4 as a double.
      yield ['store', new Int32Array(target.buffer), (target.byteOffset + offset + 4) >> 2, 0x4010_0000];
    },
  };
  function* put(it: any, slot: number, id: number): Agent {
    yield* it.large.withMemory(slot, 4, (bytes: Uint8Array) => {
      new Int32Array(bytes.buffer)[0] = id;
    });
    yield ['at', 'written', slot, id];
    ok(yield* it.append(RecordKind.Large, slot, 8, payload));
  }
  function* get(it: any): Generator<any, number, any> {
    const claimed: number[] = [];
    const me: number = yield ['self'];
    yield* it.consuming(function* (): Agent {
      yield* it.ring.claim(me, 1, claimed);
    });
    const id: number = yield* it.large.withMemory(
      yield* it.ring.idOf(claimed[0]),
      4,
      (bytes: Uint8Array) => new Int32Array(bytes.buffer)[0],
    );
    yield* it.ring.finish(claimed[0]);
    return id;
  }
  function* others(name: Name): Agent {
    for (const other of names) if (other !== name) yield ['ring', other];
  }
  // An item was put, taken and is done with, and nobody has swept it up.
  alone(put(last, alone(last.takeLarge(4)), 100));
  strictEqual(alone(get(last)), 100);

  /** The others begin when the one that may die has ended, somehow: all that a death can leave is found then, in far fewer states. */
  function* after(): Agent {
    while (names.includes('first') && (yield ['load', board, 0]) === 0 && !(yield ['dead', 'first'])) {
      yield ['sleep'];
      yield ['at', 'is not there yet'];
    }
    yield ['at', 'begins'];
  }

  const agents: Record<Name, () => Agent> = {
    *producer() {
      const it = new protocol['QueueMemory'](HANDLE);
      let slot: number;
      yield* after();
      for (;;) {
        yield ['at', 'takes'];
        slot = yield* it.takeLarge(4);
        if (slot >= 0) break;
        yield ['at', 'finds none'];
        yield ['sleep'];
      }
      yield ['at', 'has', slot];
      yield* put(it, slot, 200);
      yield ['at', 'put'];
      strictEqual(yield* it.takeLarge(4), -1, 'the slot of an item that is there was taken');
      yield ['at', 'looks'];
      // Where others sweep meanwhile, what it put is read at the end.
      if (names.includes('rester')) strictEqual(yield* get(it), 200);
    },
    *first() {
      const it = new protocol['QueueMemory'](HANDLE);
      yield* it.sweep();
      yield ['store', board, 0, 1];
      yield* others('first');
    },
    *second() {
      const it = new protocol['QueueMemory'](HANDLE);
      yield* after();
      yield* it.sweep();
      yield* others('second');
    },
    *rester() {
      const it = new protocol['QueueMemory'](HANDLE);
      yield* it.sweep();
      yield ['at', 'swept'];
      yield* it.producing(() => it.large.shrink());
      yield* others('rester');
    },
  };
  return {
    memory,
    agents: Object.fromEntries(names.map((name) => [name, agents[name]()])),
    end() {
      if (!names.includes('rester')) strictEqual(alone(get(last)), 200);
      alone(last.sweep());
      ok(alone(last.takeLarge(4)) >= 0, 'the slot is lost');
    },
  };
}

const run = (names: readonly Name[], mutation?: Mutation): Report => {
  const protocol = rewrittenMemories({ slots: 1, plain: true, ...(mutation && { mutation }) });
  return explore(() => slot(protocol, names), { races: false, crash: ['first'] });
};
const many = (title: string, report: Report): void => {
  console.log(`${title}: ${report.states} states, ${report.schedules} schedules of up to ${report.longest} steps`);
  expect(report.states).toBeGreaterThan(50);
};

describe('in every order of steps a slot', () => {
  it('is free when its record was swept up, though who did it died, and not before', () => {
    many('sweeping', run(['first', 'second', 'producer']));
  });

  it('keeps its pages while somebody writes or reads them, whoever gives pages back', () => {
    many('resting', run(['rester', 'producer']));
  });

  it.each<[string, readonly Name[], Mutation]>([
    [
      'a sweep that does not look whether the slot is still in use',
      ['first', 'second', 'producer'],
      {
        file: 'queues/shared/large-items',
        from: 'if (this.#load(slot, 0) !== 0 && this.#load(slot, POSITION_FIELD) === position)',
        to: 'if (this.#load(slot, POSITION_FIELD) === position)',
      },
    ],
    [
      'a sweep that does not look whose the slot is',
      ['first', 'second', 'producer'],
      {
        file: 'queues/shared/large-items',
        from: 'if (this.#load(slot, 0) !== 0 && this.#load(slot, POSITION_FIELD) === position)',
        to: 'if (this.#load(slot, 0) !== 0)',
      },
    ],
    [
      'a release in two steps',
      ['first', 'second', 'producer'],
      {
        file: 'queues/shared/large-items',
        from: '    this.#store(slot, 0, 0);\n',
        to: '    this.#store(slot, POSITION_FIELD, UNSENT);\n    this.#store(slot, 0, 0);\n',
      },
    ],
    [
      'one who gives back the pages of what is being written',
      ['rester', 'producer'],
      {
        file: 'queues/shared/large-items',
        from: '      else used.push(',
        to: '      else if (this.#load(slot, POSITION_FIELD) !== UNSENT) used.push(',
      },
    ],
  ])('%s is caught', (_, names, mutation) => {
    expect(() => run(names, mutation)).toThrow(/wrong end|throws|waits for ever/);
  });
});
