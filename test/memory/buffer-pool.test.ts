import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import type { MultiprocessError } from '../../src/errors/index.js';
import { type BufferHandle, BufferInbox, BufferPool, type Payload } from '../../src/memory/index.js';

const MIB = 2 ** 20;
const open: Disposable[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each[Symbol.dispose]();
});

function keep<T extends Disposable>(one: T): T {
  open.push(one);
  return one;
}

const ends = () => ({ pool: keep(new BufferPool('buffer test')), inbox: keep(new BufferInbox()) });

function message(length: number, seed = 1): Payload & { bytes: Uint8Array } {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 0xff);
  return { bytes, total: length, layout: (target, offset) => target.set(bytes, offset) };
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as MultiprocessError).code;
  }
  return 'none';
};

describe('a buffer', () => {
  it.each([0, 1, 4096, 512 * 1024, MIB + 1, 5 * MIB])(
    'carries %i bytes, which are the receiver’s own afterwards',
    (length) => {
      const { pool, inbox } = ends();
      const sent = message(length);
      const received = inbox.copyAndRelease(pool.writeToBuffer(sent)!);
      pool.writeToBuffer(message(length, 9));
      expect(same(received, sent.bytes)).toBe(true);
      expect(received.buffer.byteLength).toBe(length);
    },
  );

  it('is filled again when it came back, and a handle is plain data', () => {
    const { pool, inbox } = ends();
    const first = JSON.parse(JSON.stringify(pool.writeToBuffer(message(MIB)))) as BufferHandle;
    inbox.copyAndRelease(first);
    const second = pool.writeToBuffer(message(MIB, 2))!;
    expect(second.region.ino).toBe(first.region.ino);
    expect(second.ticket).not.toBe(first.ticket);
    expect(pool.underWay).toBe(1);
  });

  it('that is under way is never filled again, nor freed by a receipt for an earlier filling', () => {
    const { pool, inbox } = ends();
    const first = pool.writeToBuffer(message(MIB, 1))!;
    inbox.copyAndRelease(first);
    const second = pool.writeToBuffer(message(MIB, 2))!;
    inbox.release(first);
    pool.reclaim(first);
    expect(pool.underWay).toBe(1);
    const third = pool.writeToBuffer(message(MIB, 3))!;
    expect(third.region.ino).not.toBe(second.region.ino);
    expect(same(inbox.copyAndRelease(second), message(MIB, 2).bytes)).toBe(true);
    expect(same(inbox.copyAndRelease(third), message(MIB, 3).bytes)).toBe(true);
  });

  it('can be read twice and given back later', () => {
    const { pool, inbox } = ends();
    const buffer = pool.writeToBuffer(message(MIB))!;
    expect(same(inbox.copy(buffer), inbox.copy(buffer))).toBe(true);
    expect(pool.underWay).toBe(1);
    inbox.release(buffer);
    expect(pool.underWay).toBe(0);
  });

  it('is refused when eight are under way, or 64 MiB, and again possible after a receipt or a reclaim', () => {
    const { pool, inbox } = ends();
    const buffers = Array.from({ length: 8 }, (_, i) => pool.writeToBuffer(message(1000, i))!);
    expect(pool.writeToBuffer(message(1000))).toBeNull();
    inbox.copyAndRelease(buffers[3]!);
    expect(pool.writeToBuffer(message(1000))).not.toBeNull();
    pool.reclaim(buffers[5]!);
    expect(pool.writeToBuffer(message(1000))).not.toBeNull();
    const other = keep(new BufferPool('large'));
    const half = { total: 33 * MIB, layout() {} };
    const buffer = other.writeToBuffer(half)!;
    expect(other.writeToBuffer(half)).toBeNull();
    expect(other.writeToBuffer({ total: 200 * MIB, layout() {} })).toBeNull();
    other.reclaim(buffer);
    // A free one makes room for the one that is needed.
    expect(other.writeToBuffer({ total: 200 * MIB, layout() {} })).not.toBeNull();
    expect(other.bytes).toBe(256 * MIB);
  });

  it('that was only offered is used once it came back', () => {
    const { pool, inbox } = ends();
    expect(pool.writeToReturned(message(MIB))).toBeNull();
    const offer = pool.offerBuffer(MIB)!;
    expect(pool.offerBuffer(MIB)).toBeNull();
    expect(pool.writeToReturned(message(MIB))).toBeNull();
    inbox.map(offer);
    inbox.release(offer);
    expect(pool.writeToReturned(message(MIB))!.region.ino).toBe(offer.region.ino);
  });
});

describe('when an end is closed', () => {
  it('what is mapped can still be read, and its mapping ends with the receipt', () => {
    const { pool, inbox } = ends();
    inbox.copyAndRelease(pool.writeToBuffer(message(MIB))!);
    const buffer = pool.writeToBuffer(message(MIB, 2))!;
    pool.close();
    expect(same(inbox.copyAndRelease(buffer), message(MIB, 2).bytes)).toBe(true);
    expect(codeOf(() => inbox.copy(buffer))).toBe('MP_OWNER_GONE');
  });

  it('what is not mapped is gone', () => {
    const { pool, inbox } = ends();
    const buffer = pool.writeToBuffer(message(MIB))!;
    pool.close();
    expect(codeOf(() => inbox.copyAndRelease(buffer))).toBe('MP_OWNER_GONE');
    expect(pool.writeToBuffer(message(MIB))).toBeNull();
  });
});

describe('across processes', () => {
  const program = `
    import { BufferPool } from ${JSON.stringify(new URL('../../dist/memory/index.js', import.meta.url).href)};
    import { createInterface } from 'node:readline';
    const pool = new BufferPool('child');
    let round = 0;
    for await (const line of createInterface({ input: process.stdin })) {
      const length = Number(line), seed = ++round;
      console.log(JSON.stringify(pool.writeToBuffer({ total: length, layout(t) { for (let i = 0; i < length; i++) t[i] = (i + seed) & 0xff; } })));
    }`;

  it('messages arrive whole, the memory is used again, and a sender that is killed leaves what was mapped', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (length: number): Promise<BufferHandle> => {
      child.stdin.write(`${length}\n`);
      return JSON.parse((await lines.next()).value as string) as BufferHandle;
    };
    const { inbox } = ends();
    const inodes = new Set<string>();
    for (let seed = 1; seed <= 20; seed++) {
      const buffer = await next(300_000 + seed);
      inodes.add(buffer.region.ino);
      const bytes = inbox.copyAndRelease(buffer);
      expect(bytes.length).toBe(300_000 + seed);
      expect(bytes.every((byte, i) => byte === ((i + seed) & 0xff))).toBe(true);
    }
    expect(inodes.size).toBe(1);
    const mapped = await next(1000);
    const unmapped = await next(2000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(inbox.copy(mapped).length).toBe(1000);
    expect(codeOf(() => inbox.copy(unmapped))).toBe('MP_OWNER_GONE');
    inbox.forget(child.pid!);
    expect(codeOf(() => inbox.copy(mapped))).toBe('MP_OWNER_GONE');
  });
});
