import { readdirSync, readlinkSync } from 'node:fs';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { ArgumentError, ClosedError, MultiprocessError } from '../../src/errors/index.js';
import { allocateBlock, attachBlock, type Block, type BlockHandle } from '../../src/memory/index.js';
import { startFixture } from '../support/fixture-process.js';
import { until } from '../support/until.js';

const blocks: Block[] = [];
afterEach(() => {
  for (const block of blocks.splice(0)) block.close();
  endTransits();
});

function make(size: number): Block {
  const block = allocateBlock(size);
  blocks.push(block);
  return block;
}

function attach(handle: BlockHandle): Block {
  const block = attachBlock(handle);
  blocks.push(block);
  return block;
}

function endTransits(): void {
  for (const end of (globalThis as any)[Symbol.for('multiprocess.endTransits')]) end();
}

function arenas(): number {
  let count = 0;
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).startsWith('/memfd:multiprocess-arena')) count++;
    } catch {
      // The descriptor of the listing.
    }
  }
  return count;
}

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof MultiprocessError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('allocateBlock', () => {
  it('gives zeroed memory at multiples of 64, apart from all other blocks, also where memory was used before', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.boolean()), { maxLength: 60 }), (steps) => {
        const open: Block[] = [];
        for (const [size, closes] of steps) {
          const block = allocateBlock(size);
          expect(block.offset % 64).toBe(0);
          expect(block.size).toBe(size);
          expect(block.bytes.every((byte) => byte === 0)).toBe(true);
          for (const other of open) {
            if (other.region === block.region) {
              expect(block.offset >= other.offset + other.size || other.offset >= block.offset + size).toBe(true);
            }
          }
          block.bytes.fill(0xff);
          open.push(block);
          if (closes) open.splice(size % open.length, 1)[0]!.close();
        }
        for (const block of open) block.close();
      }),
      { numRuns: 50 },
    );
    expect(arenas()).toBe(0);
  });

  it('keeps a thousand small blocks in a few descriptors, and returns those when all are closed', () => {
    const many = Array.from({ length: 1000 }, () => allocateBlock(64));
    expect(arenas()).toBeLessThanOrEqual(3);
    for (const [i, block] of many.entries()) block.int32.fill(i);
    expect(many.every((block, i) => block.int32.every((word) => word === i))).toBe(true);
    for (const block of many) block.close();
    expect(arenas()).toBe(0);
  });

  it('gives a block larger than an arena memory of its own', () => {
    const block = make(9_000_001);
    expect(block.bytes.length).toBe(9_000_001);
    block.bytes[9_000_000] = 1;
    expect(block.handle.size).toBeGreaterThan(9_000_001);
  });

  it('uses the memory of a closed block again', () => {
    const keep = make(64);
    const first = allocateBlock(640);
    const at = first.offset;
    first.close();
    const second = make(640);
    expect(second.region).toBe(keep.region);
    expect(second.offset).toBe(at);
  });

  it('refuses a size that is no positive integer', () => {
    for (const size of [0, -1, 1.5, Number.NaN, '8' as never]) expect(() => allocateBlock(size)).toThrow(ArgumentError);
  });

  it('returns the memory of a block that was collected', async () => {
    (() => allocateBlock(64).int32.fill(1))();
    expect(arenas()).toBe(1);
    await until(() => {
      collect();
      return arenas() === 0;
    }, 'the arena of a collected block is closed');
  });
});

describe('Block', () => {
  it('refuses all use after close, and closes twice without harm', () => {
    const block = make(64);
    block.close();
    block.close();
    expect(block.closed).toBe(true);
    for (const use of [() => block.int32, () => block.bytes, () => block.cell(0), () => block.handle])
      expect(use).toThrow(ClosedError);
  });

  it('has cells on which waiters of other blocks of the arena do not wake', () => {
    const [a, b] = [make(64), make(64)];
    expect(a.cell(1).waitSync(1)).toBe('changed');
    a.cell(1).store(5);
    expect(a.int32[1]).toBe(5);
    expect(b.cell(1).load()).toBe(0);
    expect(b.cell(1).notify()).toBe(0);
    expect(a.cell(1).waitSync(5, 1)).toBe('timed-out');
  });
});

describe('attachBlock', () => {
  it('maps an arena once, however many of its blocks arrive', () => {
    const [a, b] = [make(64), make(64)];
    const [c, d] = [attach(a.handle), attach(b.handle)];
    expect(c.region).toBe(a.region);
    expect(d.region).toBe(a.region);
    c.int32[3] = 9;
    expect(a.int32[3]).toBe(9);
    expect(arenas()).toBe(1);
  });

  it('keeps the memory while any of its blocks is open', () => {
    const keep = make(64);
    const a = allocateBlock(64);
    const b = attach(a.handle);
    endTransits();
    a.close();
    const next = make(64);
    expect(next.offset).not.toBe(b.offset);
    expect(keep.region).toBe(next.region);
    b.int32[0] = 1;
    b.close();
    expect([make(64).offset, make(64).offset]).toContain(a.offset);
  });

  it('attaches what was closed after it was sent, and refuses it when its transit is over', () => {
    make(64);
    const a = allocateBlock(64);
    a.int32[0] = 3;
    const { handle } = a;
    a.close();
    const b = attachBlock(handle);
    expect(b.int32[0]).toBe(3);
    b.close();
    endTransits();
    expect(codeOf(() => attachBlock(handle))).toBe('MP_OWNER_GONE');
    // Also when another block has taken its place meanwhile.
    const next = make(64);
    expect(next.offset).toBe(handle.offset);
    expect(codeOf(() => attachBlock(handle))).toBe('MP_OWNER_GONE');
    expect(next.int32.every((word) => word === 0)).toBe(true);
  });

  it('refuses a handle whose region was closed here, and a damaged one', () => {
    const a = allocateBlock(64);
    const { handle } = a;
    a.close();
    endTransits();
    expect(arenas()).toBe(0);
    expect(codeOf(() => attachBlock(handle))).toBe('MP_OWNER_GONE');
    const live = make(64).handle;
    for (const damage of [
      { offset: 3 },
      { offset: -64 },
      { offset: 1 << 30 },
      { length: 1 << 30 },
      { length: 0 },
      { offset: 0.5 },
    ]) {
      expect(() => attachBlock({ ...live, ...damage })).toThrow(ArgumentError);
    }
    expect(codeOf(() => attachBlock({ ...live, ino: '1:1' }))).toBe('MP_OWNER_GONE');
    expect(arenas()).toBe(1);
  });

  it('shares with another process, which gives its reference back at its end', async () => {
    make(64);
    const block = allocateBlock(64);
    block.int32[0] = 41;
    const offset = block.offset;
    const other = startFixture('memory/hold-block.mjs', { args: [JSON.stringify(block.handle)] });
    expect(await other.line()).toBe('attached 41');
    expect(Atomics.load(block.int32, 0)).toBe(42);
    endTransits();
    block.close();
    expect([make(64).offset, make(64).offset]).not.toContain(offset);
    other.child.kill('SIGTERM');
    expect(await other.ended).toBe(0);
    // The free room is used up first; then what others returned is looked for.
    const many = Array.from({ length: 1000 }, () => make(64).offset);
    expect(many).toContain(offset);
  });

  it('never hands out again what a killed process had attached', async () => {
    make(64);
    const block = allocateBlock(64);
    const { offset, region } = block;
    const other = startFixture('memory/hold-block.mjs', { args: [JSON.stringify(block.handle)] });
    expect(await other.line()).toBe('attached 0');
    other.child.kill('SIGKILL');
    expect(await other.ended).toBe('SIGKILL');
    endTransits();
    block.close();
    const many = Array.from({ length: 1000 }, () => make(64));
    expect(many.filter((other) => other.region === region && other.offset === offset)).toEqual([]);
  });

  it('attaches what another process made, which lives on when that one is killed; a late handle is refused', async () => {
    const maker = startFixture('memory/make-block.mjs');
    const handle = JSON.parse((await maker.line())!) as BlockHandle;
    const block = attach(handle);
    expect(block.int32[0]).toBe(7);
    const again = attach(handle);
    expect(again.region).toBe(block.region);
    maker.child.kill('SIGKILL');
    await maker.ended;
    block.int32[0] = 8;
    expect(again.int32[0]).toBe(8);
    // While it is mapped here nobody else is needed; passed on, the handle names this process.
    expect(attach(handle).int32[0]).toBe(8);
    expect(block.handle.pid).toBe(process.pid);
    block.close();
    again.close();
    for (const last of blocks) last.close();
    endTransits();
    expect(codeOf(() => attachBlock(handle))).toBe('MP_OWNER_GONE');
  });

  it('is mapped by a worker thread for itself, through the same descriptor', async () => {
    const block = make(64);
    block.int32[0] = 1;
    const text = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.url).then(({ attachBlock }) => {
        const block = attachBlock(workerData.handle);
        parentPort.postMessage(Atomics.add(block.int32, 0, 1));
        block.close();
      });`;
    const url = new URL('../../dist/memory/index.js', import.meta.url).href;
    const worker = new Worker(text, { eval: true, workerData: { url, handle: block.handle } });
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    expect(await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))).toBe(1);
    expect(await ended).toBe(0);
    expect(block.int32[0]).toBe(2);
  });
});
