/** Every order of steps of a writer and a reader on one small ring, with crashes; and proof that the search finds bugs. */
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { describe, expect, it, vi } from 'vitest';
import { RING_HEADER, RingReader } from '../../src/memory/index.js';
import {
  type Agent,
  type ExplorerOptions,
  explore,
  type Report,
  type Scenario,
  Violation,
} from '../support/explorer.js';
import { rewrittenMemory } from '../support/rewritten-memory.js';
import type { Mutation } from '../support/source-text.js';

// A search takes seconds, on a busy machine many; it ends by itself at its limit of states.
vi.setConfig({ testTimeout: 300_000 });

const CAPACITY = 128;
const KIND = 7;
const WORDS: Readonly<Record<number, string>> = { 0: 'head', 64: 'tail', 128: 'reader', 192: 'writer' };

interface Course {
  /** Payload bytes of each record; multiples of 4, at most 16. */
  readonly lengths: readonly number[];
  /** Where both cursors start. */
  readonly start: number;
  /** How many records are passed at most before their room is given back. Default: each at once. */
  readonly together?: number;
}

const payload = (id: number, word: number): number => 0x1000 * (id + 1) + word;

/** A writer and a reader of the records of a course, as a pool's two sides use a ring: drain, doze, sleep, be woken. */
function scenario(memory: Record<string, any>, { lengths, start, together = 1 }: Course): Scenario {
  const buffer = new ArrayBuffer(RING_HEADER + CAPACITY);
  const control = new Int32Array(buffer, 0, RING_HEADER / 4);
  control[0] = start;
  control[16] = start;
  const writer = new memory['RingWriter'](buffer, 0, CAPACITY, function* () {
    yield ['ring', 'reader'];
  });
  const reader = new memory['RingReader'](buffer, 0, CAPACITY, function* () {
    yield ['ring', 'writer'];
  });
  let written = 0;
  let read = 0;

  function* write(): Agent {
    for (const [id, length] of lengths.entries()) {
      yield ['at', id, writer];
      let at = yield* writer.reserve(length);
      while (at < 0) {
        if (yield ['dead', 'reader']) return;
        if (yield* writer.sleepUntilRoom()) yield ['sleep'];
        yield ['at', id, writer];
        at = yield* writer.reserve(length);
      }
      for (let word = 0; word < length / 4; word++) yield ['write', writer.words, (at >> 2) + word, payload(id, word)];
      yield* writer.publish(KIND, id, ~id);
      yield* writer.wake();
      written++;
    }
  }

  function* drain(dead: boolean): Generator<any, void, any> {
    for (let passed = 0; ; ) {
      yield ['at', dead, read, passed, reader];
      if (!(yield* reader.next())) {
        if (passed > 0) yield* reader.free();
        return;
      }
      const length = lengths[read]!;
      deepStrictEqual([reader.kind, reader.id, reader.end - reader.start], [KIND, read, length]);
      strictEqual(yield ['load', reader.words, reader.position], ~read);
      for (let word = 0; word < length / 4; word++) {
        strictEqual(yield ['read', reader.words, (reader.start >> 2) + word], payload(read, word));
      }
      if (together === 1) yield* reader.release();
      else {
        reader.pass();
        if (++passed === together) {
          passed = 0;
          yield* reader.free();
        }
      }
      read++;
    }
  }

  function* readAll(): Agent {
    while (read < lengths.length) {
      // Known before the last look: then nothing can come after it.
      const dead = yield ['dead', 'writer'];
      yield* drain(dead);
      if (dead) return;
      if (read < lengths.length && (yield* reader.sleepUntilRecord())) yield ['sleep'];
      yield ['at', 'again', read, reader];
    }
  }

  return {
    memory: buffer,
    atomicBelow: RING_HEADER,
    agents: { writer: write(), reader: readAll() },
    label: (offset) => WORDS[offset] ?? `data ${offset - RING_HEADER}`,
    invariant() {
      const used = (control[16]! - control[0]!) >>> 0;
      ok(used <= CAPACITY && used % 16 === 0, `head ${control[0]}, tail ${control[16]}`);
    },
    end(dead) {
      if (dead.size === 0) deepStrictEqual([written, read], [lengths.length, lengths.length]);
      // A record exists from the store of `tail`, before the writer gets to count it.
      else if (dead.has('writer')) ok(read === written || read === written + 1, `${written} written, ${read} read`);
      else {
        // Whoever reads next finds the rest, whole; the record that the dead reader was about to count may be gone.
        const heir = new RingReader(buffer, 0, CAPACITY, () => {});
        const rest: number[] = [];
        for (; heir.next(); heir.release()) {
          rest.push(heir.id);
          const words = Array.from(heir.words.subarray(heir.start >> 2, heir.end >> 2));
          deepStrictEqual(
            words,
            Array.from({ length: lengths[heir.id]! / 4 }, (_, word) => payload(heir.id, word)),
          );
        }
        const first = rest[0] ?? written;
        ok(first > read - together && first <= read + 1, `${read} read, ${first} is next`);
        deepStrictEqual(
          rest,
          Array.from({ length: rest.length }, (_, i) => first + i),
        );
        strictEqual(first + rest.length, written);
      }
    },
  };
}

const courses: Readonly<Record<string, Course>> = {
  'records that fit': { lengths: [4, 0, 8], start: 0 },
  'a ring that fills up, with pads': { lengths: [16, 0, 16, 16, 16], start: 0 },
  'records that are given back together': { lengths: [16, 0, 16, 16, 16], start: 0, together: 2 },
  'cursors that pass 2^31': { lengths: [16, 16, 16, 0, 16], start: 2 ** 31 - 48 },
  'cursors that pass 2^32': { lengths: [16, 16, 16, 0, 16], start: 2 ** 32 - 48 },
};

const real = rewrittenMemory();

function report(title: string, result: Report): void {
  console.log(`${title}: ${result.states} states, ${result.schedules} schedules of up to ${result.longest} steps`);
}

function run(course: Course, options?: ExplorerOptions, mutation?: Mutation): Report {
  const memory = mutation === undefined ? real : rewrittenMemory(mutation);
  return explore(() => scenario(memory, course), options);
}

describe('in every order of steps a ring', () => {
  for (const [title, course] of Object.entries(courses)) {
    it(`hands over each record once, in order, and loses no wake-up: ${title}`, () => {
      const result = run(course);
      report(title, result);
      expect(result.schedules).toBeGreaterThan(100n);
    });

    it(`survives the death of its writer before any step: ${title}`, () => {
      report(`${title}, writer dies`, run(course, { crash: ['writer'] }));
    });

    it(`survives the death of its reader before any step: ${title}`, () => {
      report(`${title}, reader dies`, run(course, { crash: ['reader'] }));
    });
  }

  it('behaves the same when plain accesses are steps of their own and either side may die between them', () => {
    const course = { lengths: [4, 16], start: 2 ** 32 - 32 };
    report('plain steps', run(course, { plain: 'step', crash: ['writer', 'reader'] }));
  });
});

/**
 * A writer that takes its first record back at a time when a later one may stand in its place: the ring holds four.
 * States: 1 queued, 2 taken by the reader, 3 taken back by the writer.
 */
function taking(memory: Record<string, any>, records: number): Scenario {
  const capacity = 64;
  const buffer = new ArrayBuffer(RING_HEADER + capacity);
  const writer = new memory['RingWriter'](buffer, 0, capacity, function* () {
    yield ['ring', 'reader'];
  });
  const reader = new memory['RingReader'](buffer, 0, capacity, function* () {
    yield ['ring', 'writer'];
  });
  const taken: number[] = [];
  const seen: number[] = [];
  let back = false;

  function* write(): Agent {
    let first = -1;
    for (let id = 1; id <= records; id++) {
      while ((yield* writer.reserve(0)) < 0) if (yield* writer.sleepUntilRoom()) yield ['sleep'];
      yield* writer.publish(KIND, id, 1);
      yield* writer.wake();
      if (id === 1) first = writer.position;
      yield ['at', id, writer];
    }
    back = yield* writer.amend(first, 1, 3);
  }

  function* read(): Agent {
    while (seen.length < records) {
      yield ['at', seen, taken, reader];
      if (yield* reader.next()) {
        seen.push(reader.id);
        if ((yield ['compareExchange', reader.words, reader.position, 1, 2]) === 1) taken.push(reader.id);
        yield* reader.release();
      } else if (yield* reader.sleepUntilRecord()) yield ['sleep'];
    }
  }

  return {
    memory: buffer,
    atomicBelow: RING_HEADER,
    agents: { writer: write(), reader: read() },
    label: (offset) => WORDS[offset] ?? `data ${offset - RING_HEADER}`,
    end() {
      const all = Array.from({ length: records }, (_, i) => i + 1);
      deepStrictEqual(seen, all);
      deepStrictEqual(taken, back ? all.slice(1) : all);
    },
  };
}

describe('in every order of steps a record is taken by one side only', () => {
  for (const records of [1, 3, 5, 6]) {
    it(`when the first of ${records} is taken back`, () => {
      report(
        `the first of ${records} is taken back`,
        explore(() => taking(real, records)),
      );
    });
  }
});

describe('the explorer finds', () => {
  const CAS =
    'Atomics.load(words, index) === ASLEEP && Atomics.compareExchange(words, index, ASLEEP, AWAKE) === ASLEEP';
  const LAST_LOOK = 'if (this.#head === this.#tail) return false;\n      }';
  const mutants: Readonly<
    Record<string, { mutation: Mutation; found: RegExp; course?: string; options?: ExplorerOptions }>
  > = {
    'a writer that publishes and wakes nobody': {
      mutation: {
        file: 'memory/ring/ring',
        from: 'if (unpark(this.#control, READER)) this.#ring();',
        to: 'Atomics.load(this.#control, READER);',
      },
      found: /reader waits for ever/,
    },
    'a reader roused by the word alone, without a ring': {
      mutation: {
        file: 'memory/ring/ring',
        from: 'if (unpark(this.#control, READER)) this.#ring();',
        to: 'unpark(this.#control, READER);',
      },
      found: /reader waits for ever/,
    },
    'a reader that frees room and rings nobody': {
      mutation: { file: 'memory/ring/ring', from: 'if (unpark(this.#control, WRITER)) this.#ring();', to: '' },
      found: /writer waits for ever/,
    },
    'a reader that does not look again after it dozed': {
      mutation: {
        file: 'memory/ring/ring',
        from: 'if (Atomics.load(this.#control, TAIL) === this.#head) return true;',
        to: 'return true;',
      },
      found: /reader waits for ever/,
    },
    'a writer that does not look again after it dozed': {
      mutation: {
        file: 'memory/ring/ring',
        from: 'if (Atomics.load(this.#control, HEAD) === this.#head) return true;',
        to: 'return true;',
      },
      found: /writer waits for ever/,
    },
    'a plain store that takes the sleep word back': {
      mutation: {
        file: 'memory/ring/sleep-word',
        from: CAS,
        to: 'Atomics.load(words, index) === ASLEEP && ((words[index] = AWAKE), true)',
      },
      found: /data race/,
    },
    'a sleep word that is taken back without a ring': {
      mutation: {
        file: 'memory/ring/sleep-word',
        from: CAS,
        to: 'Atomics.exchange(words, index, AWAKE) === ASLEEP && Atomics.load(words, index) === ASLEEP',
      },
      found: /waits for ever/,
    },
    'a plain store of the tail': {
      mutation: {
        file: 'memory/ring/ring',
        from: 'Atomics.store(this.#control, TAIL, this.#tail);',
        to: 'this.#control[TAIL] = this.#tail;',
      },
      found: /data race/,
    },
    'a header written after the tail': {
      mutation: {
        file: 'memory/ring/ring',
        from: 'Atomics.store(this.#control, TAIL, this.#tail);',
        to: 'Atomics.store(this.#control, TAIL, this.#tail); this.words[word + 2] = id;',
      },
      found: /data race/,
    },
    'room that is counted with signed cursors': {
      mutation: {
        file: 'memory/ring/ring',
        from: 'if (this.#capacity - ((this.#tail - this.#head) >>> 0) < need) {',
        to: 'if (this.#capacity - (this.#tail - this.#head) < need) {',
      },
      course: 'cursors that pass 2^31',
      found: /an invariant|data race|throws/,
    },
    'a pad that is not counted': {
      mutation: {
        file: 'memory/ring/ring',
        from: 'const skipped = at === before ? 0 : this.#capacity - before;',
        to: 'const skipped = 0;',
      },
      found: /reader throws|data race|an invariant/,
    },
    'room given back before it was read': {
      mutation: {
        file: 'memory/ring/ring',
        from: LAST_LOOK,
        to: `${LAST_LOOK}\n      Atomics.store(this.#control, HEAD, this.#tail);`,
      },
      found: /data race|reader throws|an invariant/,
    },
    'a tail that is stored before the record is written': {
      mutation: {
        file: 'memory/ring/ring',
        from: 'const at = this.#reserved;\n',
        to: 'Atomics.store(this.#control, TAIL, (this.#tail + recordBytes(this.#length)) | 0); const at = this.#reserved;\n',
      },
      options: { crash: ['writer'] },
      found: /data race|reader throws/,
    },
  };

  for (const [title, { mutation, found, course = 'a ring that fills up, with pads', options }] of Object.entries(
    mutants,
  )) {
    it(title, () => {
      let violation: unknown;
      try {
        run(courses[course]!, options, mutation);
      } catch (error) {
        violation = error;
      }
      expect(violation).toBeInstanceOf(Violation);
      expect((violation as Violation).message).toMatch(found);
      // The way there is printed, step by step.
      if (!/data race/.test((violation as Violation).message)) {
        expect((violation as Violation).message).toMatch(
          /\n +1 {2}(reader|writer): \w+ \w+(.*\n +\d+ {2}(reader|writer): )+/,
        );
      }
    });
  }

  it('nothing wrong with an atomic store in unpark: with one waker the compare-and-set is not needed', () => {
    const mutation: Mutation = {
      file: 'memory/ring/sleep-word',
      from: CAS,
      to: 'Atomics.load(words, index) === ASLEEP && (Atomics.store(words, index, AWAKE), true)',
    };
    for (const course of Object.values(courses)) run(course, {}, mutation);
  });

  it('a later record taken in place of one that it has overwritten', () => {
    const blind: Mutation = {
      file: 'memory/ring/ring',
      from: 'if (this.#written - position > this.#capacity) return false;',
      to: '',
    };
    const memory = rewrittenMemory(blind);
    explore(() => taking(memory, 3));
    expect(() => explore(() => taking(memory, 5))).toThrow(/wrong end/);
  });
});
