/** What threads without the addon wake each other and send bytes by, in every order of steps: bells and streams. */

import { ok, strictEqual } from 'node:assert';
import { describe, expect, it } from 'vitest';
import { type Agent, explore, type Scenario, Violation } from '../../support/explorer.js';
import { loadRewritten } from '../../support/generatorize.js';
import { changedSources, type Mutation } from '../../support/source-text.js';

const BELL = 'native/threads/bell-word';
const PIPE = 'native/threads/pipe-words';

function bells(mutation?: Mutation): Record<string, any> {
  return loadRewritten(changedSources([BELL], mutation), {}, { calls: ['onRing'] });
}

/** Two ringers change a word each and ring; the listener must have seen both changes when nobody can go on. */
function ringing({ ring, answer }: Record<string, any>): Scenario {
  const memory = new ArrayBuffer(64);
  const bell = new Int32Array(memory, 0, 1);
  const changes = new Int32Array(memory, 16, 2);
  let seenChanges: readonly number[] = [0, 0];

  function* ringer(which: number): Agent {
    yield ['store', changes, which, 1];
    yield* ring(bell, 0);
  }
  function* listener(): Agent {
    let seen = 0;
    let last = [0, 0];
    for (;;) {
      seen = yield* answer(bell, 0, seen, function* (): Agent {
        last = [yield ['load', changes, 0], yield ['load', changes, 1]];
        seenChanges = last;
      });
      if (last[0] === 1 && last[1] === 1) return;
      // As Atomics.waitAsync: not when the word differs.
      yield ['wait', bell, 0, seen];
    }
  }
  return {
    memory,
    agents: { one: ringer(0), two: ringer(1), listener: listener() },
    end(dead) {
      if (dead.size === 0) strictEqual(seenChanges.join(), '1,1');
    },
  };
}

describe('in every order of steps a bell', () => {
  it('is heard by a listener that sleeps, calls back or is about to sleep', { timeout: 120_000 }, () => {
    const { states, schedules } = explore(() => ringing(bells()));
    console.log(`bell: ${states} states, ${schedules} schedules`);
    expect(schedules).toBeGreaterThan(50n);
  });

  it.each<[string, Mutation]>([
    [
      'a listener that reads the word after it called back',
      { file: BELL, from: 'return word;', to: 'return Atomics.load(words, index);' },
    ],
    ['a ringer that does not notify', { file: BELL, from: 'Atomics.notify(words, index);', to: '' }],
    [
      'a ringer that notifies first',
      {
        file: BELL,
        from: 'Atomics.add(words, index, 1);\n  Atomics.notify(words, index);',
        to: 'Atomics.notify(words, index);\n  Atomics.add(words, index, 1);',
      },
    ],
  ])('does not have %s', (_, mutation) => {
    expect(() => explore(() => ringing(bells(mutation)))).toThrow(Violation);
  });
});

// ---- streams

/** Bytes of an item: races are looked for by the word. */
const ITEM = 4;

function pipes(mutation?: Mutation): Record<string, any> {
  const modules = changedSources([PIPE], mutation, [['const CAPACITY = 1 << 18;', `const CAPACITY = ${ITEM};`]]);
  return loadRewritten(modules, {}, { calls: ['hasEnded', 'onTaken', 'onLoad', 'signal'], shared: [] });
}

interface Streaming {
  /** How many items are written. */
  readonly items: number;
}

/** A writer sends items through a stream with room for one; the reader takes one at a time. */
function streaming({ PipeEnd, PIPE_BYTES, closeEnd }: Record<string, any>, { items }: Streaming): Scenario {
  const memory = new ArrayBuffer(PIPE_BYTES);
  const [near, far] = [new PipeEnd(memory, 0), new PipeEnd(memory, 1)];
  const got: number[] = [];
  let ended = false;

  const agentsOf = (own: number) => ({
    own,
    *hasEnded(agent: number): Agent {
      return (yield ['dead', agent === 1 ? 'writer' : 'reader']) as never;
    },
  });
  function* write(): Agent {
    const { words, index } = near.events;
    for (let i = 1; i <= items; ) {
      yield ['at', i];
      const seen: number = yield ['load', words, index];
      const sent: number = yield* near.write(agentsOf(1), new Uint8Array(ITEM).fill(i));
      if (sent === ITEM) i++;
      else if (sent === -2) return;
      else yield ['wait', words, index, seen];
    }
  }
  function* read(): Agent {
    const { words, index } = far.events;
    const one = new Uint8Array(ITEM);
    while (got.length < items) {
      yield ['at', got.join()];
      const seen: number = yield ['load', words, index];
      const count: number = yield* far.read(agentsOf(2), one, false, 0, function* (): Agent {});
      if (count === ITEM) got.push(one[0]!);
      else if (count === 0) break;
      else yield ['wait', words, index, seen, 'death'];
      // What the kernel does when it learns that nobody has the other end.
      if (count < 0 && (yield ['dead', 'writer'])) yield* closeEnd(memory, 0);
    }
    ended = true;
  }
  return {
    memory,
    atomicBelow: 256,
    agents: { writer: write(), reader: read() },
    invariant() {
      ok(
        got.every((item, i) => item === i + 1),
        `items ${got.join()}`,
      );
    },
    end(dead) {
      ok(ended, 'the reader waits for nobody');
      if (dead.size === 0) strictEqual(got.length, items);
    },
  };
}

describe('in every order of steps a stream', () => {
  it('carries each byte once, in order, and loses no wake-up', { timeout: 240_000 }, () => {
    const { states, schedules } = explore(() => streaming(pipes(), { items: 2 }));
    console.log(`stream: ${states} states, ${schedules} schedules`);
    expect(states).toBeGreaterThan(50);
  });

  it('whose writer dies at any step ends for its reader, who has what was written before', { timeout: 240_000 }, () => {
    const { states } = explore(() => streaming(pipes(), { items: 1 }), { crash: ['writer'] });
    expect(states).toBeGreaterThan(50);
  });

  it.each<[string, Mutation]>([
    [
      'bytes that are announced before they are there',
      {
        file: PIPE,
        from: 'const length = Math.min(bytes.length, room);\n    if (length > 0) {',
        to: 'const length = Math.min(bytes.length, room);\n    if (length > 0) {\n      Atomics.store(words, this.#out + WRITTEN, (at + length) | 0);',
      },
    ],
    [
      'a writer that wakes nobody',
      {
        file: PIPE,
        from: 'if (length === 0) return -1;\n    signal(words, 1 - this.#side);',
        to: 'if (length === 0) return -1;',
      },
    ],
  ])('does not have %s', (_, mutation) => {
    expect(() => explore(() => streaming(pipes(mutation), { items: 2 }))).toThrow(Violation);
  });
});
