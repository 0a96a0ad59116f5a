/** The word of a buffer: a pool that fills, closes and retires, and a receiver that reads and gives back, in every order of steps. */

import { ok, strictEqual } from 'node:assert';
import { describe, expect, it } from 'vitest';
import * as uninitialized from '../../src/util/uninitialized.js';
import { type Agent, explore, type Scenario, Violation } from '../support/explorer.js';
import { loadRewritten } from '../support/generatorize.js';
import { changedSources, type Mutation } from '../support/source-text.js';

const HEADER = 64;
const SIZE = 64;
const RETIRED = -0x8000_0000;
const ALL = 0x100;
const POOL = 'memory/ring/buffer-pool';

/** What the scenario that runs now has instead of mappings. */
let current: { readonly region: { readonly buffer: ArrayBuffer }; readonly released: string[] };

/** The real pool and inbox, with functions as generators; what would map memory answers the one region of {@link current}. */
function buffers(mutation?: Mutation): Record<string, any> {
  const files = ['shared-buffer', 'payload', 'buffer-pool', 'buffer-inbox'].map((file) => `memory/ring/${file}`);
  const modules = changedSources(files, mutation, [
    ['const HEADER_BYTES = 4096;', `const HEADER_BYTES = ${HEADER};`],
    ['const MIN_BUFFER_BYTES = 512 * 1024;', `const MIN_BUFFER_BYTES = ${SIZE};`],
    // The explorer has an end for everything but real time: buffers that rest are not given up here.
    [/setInterval\(.*\)\.unref\(\)/g, 'undefined'],
  ]);
  return loadRewritten(
    modules,
    {
      'util/uninitialized': uninitialized,
      'memory/regions/region': { Region: { create: () => current.region } },
      'memory/regions/registry': {
        acquireRegion: () => current.region,
        enterRegion: () => {},
        regionHandle: () => ({ pid: 1, fd: 1, ino: 'one', size: SIZE }),
        releaseRegion: () => current.released.push('released'),
      },
    },
    { calls: ['layout'], shared: [] },
  );
}

/**
 * The sender fills the one buffer as often as it comes back, then closes. The receiver reads what it is told of, gives it
 * back, and gives back an old handle as well.
 */
function scenario({ BufferPool, BufferInbox }: Record<string, any>): Scenario {
  const memory = new ArrayBuffer(HEADER + SIZE);
  /** How many handles were given out, and whether that was all: unused bytes of the header page. */
  const board = new Int32Array(memory, 32, 1);
  const released: string[] = [];
  current = { region: { buffer: memory }, released };
  const pool = new BufferPool('explored');
  const inbox = new BufferInbox();
  const word = new Int32Array(memory, 0, 1);
  const content = new Int32Array(memory, HEADER, 1);
  const handles: any[] = [];
  /** What the receiver is reading now; nothing may fill the buffer meanwhile. */
  let reading = 0;

  function* send(): Agent {
    for (let i = 1; i <= 3; i++) {
      const payload = {
        total: 4,
        *layout(): Agent {
          strictEqual(reading, 0, 'a buffer is filled while it is read');
          yield ['store', content, 0, 100 + i];
        },
      };
      const handle: unknown = i === 1 ? yield* pool.writeToBuffer(payload) : yield* pool.writeToReturned(payload);
      if (handle === null) continue;
      handles.push(handle);
      yield ['store', board, 0, handles.length];
      yield ['notify', board, 0, 1];
    }
    yield* pool.close();
    yield ['store', board, 0, handles.length + ALL];
    yield ['notify', board, 0, 1];
  }

  function* receive(): Agent {
    let taken = 0;
    let value = 0;
    for (;;) {
      const there: number = yield ['load', board, 0];
      if (there === taken + ALL) return;
      if (there === taken) {
        yield ['wait', board, 0, taken];
        continue;
      }
      const handle = handles[taken];
      reading = handle.ticket;
      const found: number = yield ['load', content, 0];
      ok(found > value, `${found} after ${value}`);
      value = found;
      // A second receipt for what is over must change nothing.
      if (taken > 0) yield* inbox.release(handles[taken - 1]);
      strictEqual(yield ['load', content, 0], value, 'a buffer was filled while it was read');
      reading = 0;
      yield* inbox.release(handle);
      taken++;
    }
  }

  return {
    memory,
    agents: { sender: send(), receiver: receive() },
    end(dead) {
      if (dead.size > 0) return;
      ok(word[0] === RETIRED || word[0] === -handles.at(-1).ticket, `the word is ${word[0]}`);
      if (word[0] !== RETIRED) strictEqual(released.length, 2, 'the receiver keeps a mapping that nobody will retire');
    },
  };
}

const real = buffers();

describe('in every order of steps a buffer', () => {
  it('is filled only when it came back, keeps its bytes while they are read, and is retired at last', () => {
    const { states, schedules } = explore(() => scenario(real));
    console.log(`buffers: ${states} states, ${schedules} schedules`);
    expect(schedules).toBeGreaterThan(20n);
  });

  it('does not keep its sender waiting when the receiver dies before any step', () => {
    const { states } = explore(() => scenario(real), { crash: ['receiver'] });
    expect(states).toBeGreaterThan(20);
  });

  it.each<[string, Mutation]>([
    [
      'a pool that fills what is under way',
      { file: POOL, from: 'bytes.length <= most && Atomics.load(word, 0) === FREE', to: 'bytes.length <= most' },
    ],
    [
      'a receipt that looks at no ticket',
      {
        file: 'memory/ring/buffer-inbox',
        from: 'Atomics.compareExchange(new Int32Array(region.buffer, 0, 1), 0, ticket, FREE)',
        to: 'Atomics.exchange(new Int32Array(region.buffer, 0, 1), 0, FREE)',
      },
    ],
    [
      'a close that overwrites the ticket',
      { file: POOL, from: 'Atomics.compareExchange(word, 0, FREE, RETIRED);', to: 'Atomics.exchange(word, 0, FREE);' },
    ],
    [
      'a close that forgets the receipt that came meanwhile',
      {
        file: POOL,
        from: 'Atomics.compareExchange(word, 0, ticket, -ticket) !== ticket',
        to: '(Atomics.compareExchange(word, 0, ticket, -ticket), false)',
      },
    ],
  ])('is seen to fail with %s', (_title, mutation) => {
    const mutant = buffers(mutation);
    expect(() => explore(() => scenario(mutant))).toThrow(Violation);
  });
});
