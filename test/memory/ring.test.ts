import { describe, expect, it } from 'vitest';
import { RECORD_HEADER, RING_HEADER, RingReader, RingWriter, ringBytes } from '../../src/memory/index.js';

interface Pair {
  readonly writer: RingWriter;
  readonly reader: RingReader;
  readonly control: Int32Array;
  /** Rings so far: of the reader's bell and of the writer's. */
  readonly rings: { reader: number; writer: number };
}

function pair(capacity: number, start = 0, offset = 0): Pair {
  const buffer = new ArrayBuffer(offset + ringBytes(capacity));
  const control = new Int32Array(buffer, offset, RING_HEADER / 4);
  control[0] = start;
  control[16] = start;
  const rings = { reader: 0, writer: 0 };
  const writer = new RingWriter(buffer, offset, capacity, () => rings.reader++);
  return { writer, reader: new RingReader(buffer, offset, capacity, () => rings.writer++), control, rings };
}

/** Writes a record whose bytes all are `fill`; `false` when there is no room. */
function write({ writer }: Pair, length: number, fill: number): boolean {
  const at = writer.reserve(length);
  if (at < 0) return false;
  writer.bytes.fill(fill, at, at + length);
  writer.publish(1, fill, ~fill);
  writer.wake();
  return true;
}

/** Reads a record and checks that it is whole; its length, or -1 when there is none. */
function read({ reader }: Pair, fill: number): number {
  if (!reader.next()) return -1;
  expect([reader.kind, reader.id, reader.words[reader.position]]).toEqual([1, fill, ~fill]);
  expect(reader.bytes.subarray(reader.start, reader.end).every((byte) => byte === (fill & 0xff))).toBe(true);
  const length = reader.end - reader.start;
  reader.release();
  return length;
}

const starts = { 'at 0': 0, 'past 2^31': 2 ** 31 - 128, 'past 2^32': 2 ** 32 - 128 };

describe.each(Object.entries(starts))('a ring whose cursors start %s', (_, start) => {
  it('is empty at first', () => {
    const ring = pair(1024, start);
    expect(ring.reader.next()).toBe(false);
    expect(ring.reader.ready).toBe(false);
    expect(ring.writer.drained).toBe(true);
  });

  it('carries every length up to its maximum, at every place', () => {
    const ring = pair(1024, start);
    expect(ring.writer.maximum).toBe(1024 / 2 - RECORD_HEADER);
    for (let length = 0; length <= ring.writer.maximum; length++) {
      expect(write(ring, length, length)).toBe(true);
      expect(ring.reader.ready).toBe(true);
      expect(ring.writer.drained).toBe(false);
      expect(read(ring, length)).toBe(length);
      expect(ring.writer.drained).toBe(true);
    }
  });

  it('takes records until it is full to the last byte, and again once they are read', () => {
    const ring = pair(1024, start);
    for (let round = 0; round < 5; round++) {
      let count = 0;
      while (write(ring, 112, count)) count++;
      expect(count).toBe(8);
      expect(write(ring, 0, 0)).toBe(false);
      for (let i = 0; i < count; i++) expect(read(ring, i)).toBe(112);
      expect(read(ring, 0)).toBe(-1);
    }
  });

  it('skips the end of its memory when a record does not fit there, and counts that as taken', () => {
    const ring = pair(1024, start);
    // Seven records of 128 bytes from the start of the memory, then 96, so that 32 bytes are left at the end.
    while ((ring.control[16]! & 1023) !== 0) {
      write(ring, 0, 1);
      read(ring, 1);
    }
    for (let i = 0; i < 7; i++) expect(write(ring, 112, i)).toBe(true);
    expect(write(ring, 80, 7)).toBe(true);
    expect(read(ring, 0)).toBe(112);
    // 160 bytes are free but only 128 of them in one piece: a record of 144 fits nowhere.
    expect(write(ring, 128, 8)).toBe(false);
    expect(write(ring, 112, 8)).toBe(true);
    expect(write(ring, 0, 9)).toBe(false);
    for (let i = 1; i < 7; i++) expect(read(ring, i)).toBe(112);
    expect(read(ring, 7)).toBe(80);
    expect(read(ring, 8)).toBe(112);
    expect(ring.writer.drained).toBe(true);
  });

  it('carries a long course of random records in order', () => {
    const ring = pair(512, start);
    let seed = 12345;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const inside: [fill: number, length: number][] = [];
    let next = 0;
    for (let step = 0; step < 20_000; step++) {
      const length = random(ring.writer.maximum + 1);
      if (random(2) === 0 && write(ring, length, next)) inside.push([next++, length]);
      else if (inside.length > 0) {
        const [fill, expected] = inside.shift()!;
        expect(read(ring, fill)).toBe(expected);
      }
      const used = (ring.control[16]! - ring.control[0]!) >>> 0;
      if (used > 512 || used % 16 !== 0) expect.fail(`head ${ring.control[0]}, tail ${ring.control[16]}`);
    }
    expect(next).toBeGreaterThan(5_000);
  });

  it('shows a record again until it is released', () => {
    const ring = pair(1024, start);
    write(ring, 3, 5);
    for (let i = 0; i < 3; i++) {
      expect(ring.reader.next()).toBe(true);
      expect(ring.reader.id).toBe(5);
    }
    ring.reader.release();
    expect(ring.reader.next()).toBe(false);
  });

  it('rings only for who sleeps, and once', () => {
    const ring = pair(256, start);
    write(ring, 0, 1);
    expect(ring.rings).toEqual({ reader: 0, writer: 0 });
    expect(ring.reader.sleepUntilRecord()).toBe(false);
    read(ring, 1);
    expect(ring.reader.sleepUntilRecord()).toBe(true);
    write(ring, 0, 2);
    write(ring, 0, 3);
    expect(ring.rings).toEqual({ reader: 1, writer: 0 });
    while (write(ring, 48, 4));
    expect(ring.writer.sleepUntilRoom()).toBe(true);
    expect(ring.reader.next()).toBe(true);
    expect(ring.rings).toEqual({ reader: 1, writer: 0 });
    ring.reader.release();
    ring.reader.next();
    ring.reader.release();
    expect(ring.rings).toEqual({ reader: 1, writer: 1 });
    expect(ring.writer.sleepUntilRoom()).toBe(false);
    expect(write(ring, 0, 5)).toBe(true);
  });

  it('is continued by a new reader and a new writer where the old ones died', () => {
    const ring = pair(1024, start);
    for (let i = 0; i < 4; i++) write(ring, 100, i);
    expect(read(ring, 0)).toBe(100);
    // The old writer dies with a record reserved and half written; the old reader with one found.
    ring.writer.bytes.fill(0xee, ring.writer.reserve(60));
    ring.reader.next();
    const { buffer } = ring.control;
    const heirs: Pair = {
      ...ring,
      reader: new RingReader(buffer, 0, 1024, () => {}),
      writer: new RingWriter(buffer, 0, 1024, () => {}),
    };
    expect(write(heirs, 50, 4)).toBe(true);
    for (let i = 1; i < 4; i++) expect(read(heirs, i)).toBe(100);
    expect(read(heirs, 4)).toBe(50);
    expect(read(heirs, 5)).toBe(-1);
  });

  it('changes the state of a record that was published, also of one that begins with a pad', () => {
    const ring = pair(256, start);
    for (let i = 0; i < 100; i++) {
      expect(write(ring, Math.min((i * 16) % 64, 48), i)).toBe(true);
      expect(ring.writer.amend(ring.writer.position, 0, 77)).toBe(false);
      expect(ring.writer.amend(ring.writer.position, ~i, 77)).toBe(true);
      expect(ring.reader.next()).toBe(true);
      expect(ring.reader.words[ring.reader.position]).toBe(77);
      ring.reader.release();
    }
  });

  it('does not take the state of a later record for that of one it has overwritten', () => {
    const ring = pair(256, start);
    expect(write(ring, 48, 9)).toBe(true);
    const { position } = ring.writer;
    expect(read(ring, 9)).toBe(48);
    for (let i = 0; i < 3; i++) write(ring, 48, 9);
    // Released, but nothing stands in its place yet.
    expect(ring.writer.amend(position, 0, 0)).toBe(false);
    expect(write(ring, 48, 9)).toBe(true);
    expect(ring.writer.amend(position, ~9, 77)).toBe(false);
    for (let i = 0; i < 4; i++) expect(read(ring, 9)).toBe(48);
  });
});

it('a second reservation takes the place of the first, also when only one of them needs a pad', () => {
  const ring = pair(256);
  for (let i = 0; i < 3; i++) {
    write(ring, 48, i);
    read(ring, i);
  }
  write(ring, 16, 3);
  read(ring, 3);
  expect(ring.writer.reserve(48)).toBe(RECORD_HEADER);
  expect(write(ring, 16, 4)).toBe(true);
  expect(read(ring, 4)).toBe(16);
  write(ring, 0, 5);
  expect(ring.writer.reserve(0)).toBeGreaterThan(0);
  expect(write(ring, 48, 6)).toBe(true);
  expect(read(ring, 5)).toBe(0);
  expect(read(ring, 6)).toBe(48);
});

it('a ring touches only its own bytes', () => {
  const ring = pair(256, 0, 4096);
  for (let i = 0; i < 50; i++) {
    write(ring, i % 48, i);
    read(ring, i);
  }
  expect(new Uint8Array(ring.control.buffer, 0, 4096).every((byte) => byte === 0)).toBe(true);
});
