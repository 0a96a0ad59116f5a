import { fstatSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { ArgumentError, ClosedError } from '../../src/errors/index.js';
import { Region } from '../../src/memory/index.js';
import { closeDescriptor, createEventfd, createMemory, duplicateDescriptor } from '../../src/native/index.js';
import { startFixture } from '../support/fixture-process.js';

describe('a region for processes', () => {
  it('is zeroed memory of the size asked for, with a name for readers of /proc', () => {
    using region = Region.create(5000, 'region test');
    expect(region.size).toBe(5000);
    expect(region.buffer.byteLength).toBe(5000);
    expect(new Uint8Array(region.buffer).every((byte) => byte === 0)).toBe(true);
    expect(fstatSync(region.descriptor).size).toBe(5000);
    expect(region.crossesProcesses).toBe(true);
    expect(region.closed).toBe(false);
  });

  it('is the same memory for whoever attaches to its descriptor, in this process', () => {
    using region = Region.create(64, 'test');
    using other = Region.attach(duplicateDescriptor(region.descriptor));
    expect(other.size).toBe(64);
    expect(other.crossesProcesses).toBe(true);
    new Uint8Array(region.buffer)[63] = 7;
    expect(new Uint8Array(other.buffer)[63]).toBe(7);
  });

  it('is the same memory for whoever attaches to its descriptor, in another process, and outlives that', async () => {
    using region = Region.create(64, 'test');
    const child = startFixture('memory/wait-cell.mjs', { args: ['store', 41], fds: [region.descriptor] });
    expect(await child.ended).toBe(0);
    expect(new Int32Array(region.buffer)[0]).toBe(41);
  });

  it('gives parts to which writes stay where they are made, and which outlive it', () => {
    for (const region of [Region.create(3 * 4096, 'test'), Region.local(3 * 4096)]) {
      const bytes = new Uint8Array(region.buffer);
      bytes.fill(5);
      const part = region.copyOnWrite(4096, 5000);
      expect(part).toBeInstanceOf(ArrayBuffer);
      const mine = new Uint8Array(part);
      expect([mine.length, mine[0], mine[4999]]).toEqual([5000, 5, 5]);
      mine.fill(6);
      expect(bytes.every((byte) => byte === 5)).toBe(true);
      region.close();
      expect(mine.every((byte) => byte === 6)).toBe(true);
      expect(() => region.copyOnWrite(0, 1)).toThrow(ClosedError);
    }
  });

  it('outlives the region that it was attached from', () => {
    const region = Region.create(64, 'test');
    using other = Region.attach(duplicateDescriptor(region.descriptor));
    new Uint8Array(region.buffer)[0] = 9;
    region.close();
    expect(new Uint8Array(other.buffer)[0]).toBe(9);
  });

  it('gives memory and descriptor back when it is closed, and closing twice does nothing', () => {
    const region = Region.create(64, 'test');
    const { descriptor } = region;
    const view = new Uint8Array(region.buffer);
    region.close();
    region.close();
    expect(region.closed).toBe(true);
    expect(region.size).toBe(64);
    expect(view.length).toBe(0);
    expect(() => fstatSync(descriptor)).toThrow(/EBADF/);
  });

  it('refuses to be used after it was closed', () => {
    const region = Region.create(64, 'test');
    region.close();
    expect(() => region.buffer).toThrow(ClosedError);
    expect(() => region.descriptor).toThrow(expect.objectContaining({ code: 'MP_CLOSED' }));
  });

  it('refuses a size of nothing and leaves nothing behind', () => {
    for (const size of [0, -1, 1.5, Number.NaN]) expect(() => Region.create(size, 'test')).toThrow(ArgumentError);
  });

  it('leaves a descriptor that is no memory to its owner', () => {
    const bell = createEventfd();
    expect(() => Region.attach(bell)).toThrow(ArgumentError);
    closeDescriptor(bell);
    expect(() => Region.attach(1 << 20)).toThrow(expect.objectContaining({ code: 'MP_SYSTEM' }));
  });

  it('leaves memory that cannot be mapped to the owner of the descriptor', () => {
    // A block that nobody gave a size.
    const fd = createMemory('test', 1);
    const region = Region.attach(fd);
    expect(region.size).toBe(1);
    region.close();
  });
});

describe('a region for threads', () => {
  it('is a SharedArrayBuffer that another thread can adopt', async () => {
    const region = Region.local(64);
    expect(region.crossesProcesses).toBe(false);
    expect(region.buffer).toBeInstanceOf(SharedArrayBuffer);
    const worker = new Worker(
      "const { workerData } = require('node:worker_threads'); new Int32Array(workerData)[3] = 5;",
      {
        eval: true,
        workerData: region.buffer,
      },
    );
    await new Promise((done) => worker.once('exit', done));
    const adopted = Region.adopt(region.buffer as SharedArrayBuffer);
    expect(adopted.size).toBe(64);
    expect(new Int32Array(adopted.buffer)[3]).toBe(5);
  });

  it('has no descriptor, and says what to pass instead', () => {
    expect(() => Region.local(8).descriptor).toThrow(/pass its buffer/);
  });

  it('refuses to be used after it was closed', () => {
    const region = Region.local(8);
    region.close();
    expect(() => region.buffer).toThrow(ClosedError);
  });
});
