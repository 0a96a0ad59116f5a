import { afterEach, describe, expect, it, vi } from 'vitest';
import { ArgumentError, MultiprocessError } from '../../src/errors/index.js';
import { Link, LinkSide, linkBytes, type Payload, Region } from '../../src/memory/index.js';

const CAPACITY = 4096;
const MAXIMUM = CAPACITY / 2 - 16;

interface Ends {
  readonly parent: Link;
  readonly worker: Link;
  /** Resolves at the next ring of that side. */
  readonly rung: { parent(): Promise<void>; worker(): Promise<void> };
}

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

function ends(): Ends {
  const region = Region.create(linkBytes(CAPACITY), 'link test');
  const bells = Link.createBells();
  const waiting: Record<'parent' | 'worker', (() => void)[]> = { parent: [], worker: [] };
  const make = (side: LinkSide, name: 'parent' | 'worker') =>
    new Link(region, CAPACITY, side, bells, () => {
      for (const wake of waiting[name].splice(0)) wake();
    });
  const parent = make(LinkSide.Parent, 'parent');
  const worker = make(LinkSide.Worker, 'worker');
  open.push(() => {
    parent.close();
    worker.close();
    Link.closeBells(bells);
    region.close();
  });
  const rung = (name: 'parent' | 'worker') => () => new Promise<void>((wake) => waiting[name].push(wake));
  return { parent, worker, rung: { parent: rung('parent'), worker: rung('worker') } };
}

/** Bytes that depend on `seed` and on their place. */
function message(length: number, seed = 1): Payload & { bytes: Uint8Array } {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 0xff);
  return { bytes, total: length, layout: (target, offset) => target.set(bytes, offset) };
}

function expectReceived(link: Link, kind: number, id: number, { bytes }: { bytes: Uint8Array }): void {
  expect(link.receive()).toBe(true);
  expect([link.kind, link.id]).toEqual([kind, id]);
  expect(Buffer.compare(link.source.subarray(link.start, link.end), bytes)).toBe(0);
}

/** Writes as many bytes as it is told, of its number. */
const bytesOf = (bytes: Uint8Array, _view: DataView, at: number, value: unknown): number => {
  bytes.fill(Number(value), at, at + Number(value));
  return at + Number(value);
};

describe('short messages', () => {
  it('are written where they are to stand, and take what they are long', () => {
    const { parent, worker } = ends();
    for (const length of [0, 1, 9, 16]) expect(worker.sendShort(3, length, 7, bytesOf, length)).toBe(true);
    for (const length of [0, 1, 9, 16]) {
      expect(parent.receive()).toBe(true);
      expect([parent.kind, parent.id, parent.state, parent.inRing]).toEqual([3, length, 7, true]);
      expect([...parent.source.subarray(parent.start, parent.end)]).toEqual(new Array(length).fill(length));
      parent.release();
    }
  });

  it('are refused where there is no room, and while a message waits: send has them wait', () => {
    const { parent, worker } = ends();
    let sent = 0;
    while (worker.sendShort(3, sent, 0, bytesOf, 9)) sent++;
    expect(sent).toBe(CAPACITY / 32);
    expect(worker.send(4, 0, 0, message(9))).toBe(-1);
    expect(worker.writable).toBe(false);
    expect(parent.receive()).toBe(true);
    parent.release();
    expect(worker.sendShort(3, 0, 0, bytesOf, 9)).toBe(false);
    expect(worker.flush()).toBe(true);
    expect(worker.sendShort(3, 0, 0, bytesOf, 9)).toBe(false);
  });

  it('are passed one by one, and their room is given back for all at once', () => {
    const { parent, worker } = ends();
    while (worker.sendShort(3, 1, 0, bytesOf, 9));
    for (let i = 0; i < 5; i++) {
      expect(parent.receiveKind(3)).toBe(true);
      parent.pass();
    }
    expect(worker.sendShort(3, 1, 0, bytesOf, 9)).toBe(false);
    parent.free();
    for (let i = 0; i < 5; i++) expect(worker.sendShort(3, 1, 0, bytesOf, 9)).toBe(true);
    expect(worker.sendShort(3, 1, 0, bytesOf, 9)).toBe(false);
  });

  it('wake a writer that waits for room when that is given back', async () => {
    const { parent, worker, rung } = ends();
    while (worker.sendShort(3, 1, 0, bytesOf, 9));
    expect(worker.send(4, 0, 0, message(9))).toBe(-1);
    const woken = rung.worker();
    expect(parent.receiveKind(3)).toBe(true);
    parent.pass();
    parent.free();
    await woken;
    expect(worker.flush()).toBe(true);
  });

  it('are told from messages that stand elsewhere, which stay to be received', () => {
    const { parent, worker } = ends();
    worker.send(3, 1, 0, message(MAXIMUM + 1));
    worker.sendShort(3, 2, 0, bytesOf, 1);
    expect(parent.receiveKind(3)).toBe(false);
    expectReceived(parent, 3, 1, message(MAXIMUM + 1));
    expect(parent.inRing).toBe(false);
    parent.release();
    expect(parent.receiveKind(4)).toBe(false);
    expect(parent.receiveKind(3)).toBe(true);
    expect(parent.id).toBe(2);
  });
});

describe('a message', () => {
  it.each([0, 1, 15, 16, 17, MAXIMUM - 1, MAXIMUM])('of %i bytes goes as one record, in either direction', (length) => {
    const { parent, worker } = ends();
    for (const [from, to] of [
      [parent, worker],
      [worker, parent],
    ] as const) {
      expect(from.send(0xffff, -3, 0, message(length))).toBeGreaterThanOrEqual(0);
      expect(from.writable).toBe(true);
      expect(to.ready).toBe(true);
      expectReceived(to, 0xffff, -3, message(length));
      expect(to.owned).toBe(false);
      to.release();
      expect(to.receive()).toBe(false);
      expect(to.ready).toBe(false);
    }
  });

  it.each([MAXIMUM + 1, MAXIMUM + 500, 2 * MAXIMUM])('of %i bytes goes in parts, at once when they fit', (length) => {
    const { parent, worker } = ends();
    expect(parent.send(5, 6, 7, message(length))).toBeGreaterThan(0);
    expect(parent.writable).toBe(true);
    expectReceived(worker, 5, 6, message(length));
    expect(worker.owned).toBe(true);
    expect(worker.state).toBe(7);
    worker.release();
    expect(worker.receive()).toBe(false);
  });

  it('larger than the ring follows as the other side reads, and wakes each side when there is something to do', async () => {
    const { parent, worker, rung } = ends();
    const large = message(10 * CAPACITY + 5);
    expect(worker.sleep()).toBe(true);
    const first = rung.worker();
    expect(parent.send(9, 1, 0, large)).toBe(-1);
    expect(parent.writable).toBe(false);
    await first;
    let turns = 0;
    while (!worker.receive()) {
      // All that is there is read, so the writer that slept for room was rung.
      const more = rung.worker();
      const room = rung.parent();
      expect(worker.sleep()).toBe(true);
      await room;
      parent.flush();
      await more;
      turns++;
    }
    expect(turns).toBeGreaterThan(8);
    expect([worker.kind, worker.id, worker.owned]).toEqual([9, 1, true]);
    expect(Buffer.compare(worker.source.subarray(worker.start, worker.end), large.bytes)).toBe(0);
    worker.release();
    expect(parent.writable).toBe(true);
    expect(parent.flush()).toBe(true);
    expect(parent.amend(parent.position, 1, 2)).toBe(false);
  });

  it('that finds no room waits and then goes as one record', async () => {
    const { parent, worker, rung } = ends();
    let sent = 0;
    while (parent.writable) parent.send(1, sent++, 0, message(500, sent));
    expect(parent.flush()).toBe(false);
    const room = rung.parent();
    for (let i = 0; i < sent - 1; i++) {
      expectReceived(worker, 1, i, message(500, i + 1));
      worker.release();
    }
    await room;
    expect(worker.receive()).toBe(false);
    expect(parent.flush()).toBe(true);
    expectReceived(worker, 1, sent - 1, message(500, sent));
    expect(worker.owned).toBe(false);
    worker.release();
  });

  it('in parts can be changed once it is out, and only then', () => {
    const { parent, worker } = ends();
    expect(parent.send(1, 1, 4, message(6 * MAXIMUM))).toBe(-1);
    worker.receive();
    while (!parent.flush()) worker.receive();
    expect(parent.amend(parent.position, 4, 5)).toBe(true);
    while (!worker.receive());
    expect(worker.state).toBe(5);
    worker.release();
  });

  it('is refused while an earlier one waits, which is not disturbed by that', () => {
    const { parent, worker } = ends();
    const large = message(6 * MAXIMUM);
    parent.send(1, 1, 0, large);
    expect(parent.writable).toBe(false);
    for (const next of [message(0), message(10 * MAXIMUM)]) {
      expect(() => parent.send(2, 2, 0, next)).toThrow(MultiprocessError);
      expect(() => parent.send(2, 2, 0, next)).toThrow(expect.objectContaining({ code: 'MP_LINK_BUSY' }));
    }
    while (!worker.receive()) parent.flush();
    expect([worker.kind, worker.id]).toEqual([1, 1]);
    expect(Buffer.compare(worker.source, large.bytes)).toBe(0);
    worker.release();
    expect(worker.receive()).toBe(false);
  });

  it('of 4 GiB is refused before anything is allocated', () => {
    const { parent } = ends();
    const layout = () => expect.fail('It was laid out.');
    expect(() => parent.send(1, 1, 0, { total: 2 ** 32, layout })).toThrow(ArgumentError);
    expect(parent.writable).toBe(true);
  });

  it('whose layout throws leaves nothing behind', () => {
    const { parent, worker } = ends();
    for (const total of [10, 10 * MAXIMUM]) {
      const broken: Payload = {
        total,
        layout() {
          throw new RangeError('no');
        },
      };
      expect(() => parent.send(1, 1, 0, broken)).toThrow('no');
      expect(parent.writable).toBe(true);
      parent.send(2, 2, 0, message(20));
      expectReceived(worker, 2, 2, message(20));
      worker.release();
    }
  });
});

describe('a record', () => {
  it('is claimed by the reader or taken back by the writer, never both', () => {
    const { parent, worker } = ends();
    const claimed = parent.send(1, 1, 0, message(4));
    const withdrawn = parent.send(1, 2, 0, message(4));
    expect(parent.amend(withdrawn, 0, 2)).toBe(true);
    expect(worker.receive()).toBe(true);
    expect(worker.claim(0, 1)).toBe(true);
    expect(parent.amend(claimed, 0, 2)).toBe(false);
    expect(parent.amend(claimed, 1, 3)).toBe(true);
    expect(worker.state).toBe(3);
    worker.release();
    expect(worker.receive()).toBe(true);
    expect(worker.claim(0, 1)).toBe(false);
    expect(worker.state).toBe(2);
    worker.release();
  });

  it('cannot be taken for a later one in its place', () => {
    const { parent, worker } = ends();
    const first = parent.send(1, 1, 0, message(1000));
    for (let i = 0; i < 4; i++) {
      worker.receive();
      worker.claim(0, 1);
      worker.release();
      parent.send(1, 2, 0, message(1000));
    }
    expect(parent.amend(first, 0, 2)).toBe(false);
    expect(worker.receive()).toBe(true);
    expect(worker.claim(0, 1)).toBe(true);
  });

  it('stays in the ring, with its bytes, until it is released', () => {
    const { parent, worker } = ends();
    parent.send(1, 1, 0, message(1000, 1));
    expect(worker.receive()).toBe(true);
    const bytes = worker.source.subarray(worker.start, worker.end);
    for (let i = 2; parent.writable; i++) parent.send(1, i, 0, message(1000, i));
    expect(Buffer.compare(bytes, message(1000, 1).bytes)).toBe(0);
    worker.release();
    expect(parent.flush()).toBe(true);
  });
});

it('parts whose writer died are dropped when another writer takes its place', () => {
  const region = Region.create(linkBytes(CAPACITY), 'link test');
  const bells = Link.createBells();
  const make = (side: LinkSide) => new Link(region, CAPACITY, side, bells, () => {});
  const [dying, worker] = [make(LinkSide.Parent), make(LinkSide.Worker)];
  open.push(() => {
    worker.close();
    Link.closeBells(bells);
    region.close();
  });
  dying.send(1, 1, 0, message(20 * MAXIMUM));
  expect(worker.receive()).toBe(false);
  dying.close();
  const heir = make(LinkSide.Parent);
  open.unshift(() => heir.close());
  heir.send(2, 2, 0, message(30));
  expectReceived(worker, 2, 2, message(30));
  worker.release();
  heir.send(3, 3, 0, message(MAXIMUM + 100));
  expectReceived(worker, 3, 3, message(MAXIMUM + 100));
  worker.release();
});

describe('the bells', () => {
  it('ring for who sleeps, and not for who does not', async () => {
    const { parent, worker, rung } = ends();
    expect(worker.sleep()).toBe(true);
    const ring = rung.worker();
    parent.send(1, 1, 0, message(0));
    parent.wake();
    await ring;
    expect(worker.sleep()).toBe(false);
    let again = false;
    void rung.worker().then(() => {
      again = true;
    });
    parent.send(1, 2, 0, message(0));
    parent.wake();
    // A ring of the parent's bell that comes later shows that none of the worker's is under way.
    const last = rung.parent();
    worker.ring();
    await last;
    await new Promise((done) => setImmediate(done));
    expect(again).toBe(false);
  });

  it('ring for whatever the owner wants', async () => {
    const { parent, worker, rung } = ends();
    const both = [rung.parent(), rung.worker()];
    Atomics.store(parent.control, 16, 99);
    parent.ring();
    worker.ring();
    await Promise.all(both);
    expect(Atomics.load(worker.control, 16)).toBe(99);
  });

  it('are silent after the link was closed, and closing twice does nothing', async () => {
    const { parent, worker, rung } = ends();
    let rings = 0;
    void rung.worker().then(() => rings++);
    worker.sleep();
    worker.close();
    worker.close();
    const last = rung.parent();
    parent.send(1, 1, 0, message(0));
    parent.wake();
    worker.ring();
    await last;
    expect(rings).toBe(0);
    worker.ref(true);
    expect(worker.writable).toBe(true);
  });
});

it('a link that was unreferenced lets the process end, and one that is not keeps it', async () => {
  const { startFixture } = await import('../support/fixture-process.js');
  const free = startFixture('memory/link-alive.mjs', { args: ['free'] });
  expect(await free.line()).toBe('open');
  expect(await free.ended).toBe(0);
  const held = startFixture('memory/link-alive.mjs', { args: ['held'] });
  expect(await held.line()).toBe('open');
  // It ends only when its own ring is heard.
  expect(await held.line()).toBe('rung');
  expect(await held.ended).toBe(0);
});

describe('a message of 256 KiB and more', () => {
  const large = 300_000;
  /** The link of 4 KiB rings takes what does not fit in parts, so the two ends take turns. */
  function pass(from: Link, to: Link, seed: number): void {
    from.send(7, seed, 5, message(large, seed));
    for (let received = false; !received; ) {
      from.flush();
      received = to.receive();
    }
    expect([to.kind, to.id, to.state]).toEqual([7, seed, 5]);
    expect(Buffer.compare(to.source.subarray(to.start, to.end), message(large, seed).bytes)).toBe(0);
  }

  it('goes in parts at first and then, in one record, in a buffer that is used again and again', () => {
    const { parent, worker } = ends();
    for (const [from, to] of [
      [parent, worker],
      [worker, parent],
    ] as const) {
      pass(from, to, 1);
      expect(to.owned).toBe(true);
      to.release();
      for (let seed = 2; seed < 20; seed++) {
        expect(from.send(7, seed, 0, message(large, seed))).toBeGreaterThanOrEqual(0);
        expect(from.writable).toBe(true);
        expectReceived(to, 7, seed, message(large, seed));
        expect(to.owned).toBe(false);
        to.release();
      }
    }
  });

  it('goes in parts again while the buffer is not given back, and in order', () => {
    const { parent, worker } = ends();
    pass(parent, worker, 1);
    worker.release();
    parent.send(7, 2, 0, message(large, 2));
    parent.send(7, 3, 0, message(large, 3));
    expect(parent.writable).toBe(false);
    for (const seed of [2, 3]) {
      while (!worker.receive()) parent.flush();
      expect([worker.id, worker.owned]).toEqual([seed, seed === 3]);
      expect(Buffer.compare(worker.source.subarray(worker.start, worker.end), message(large, seed).bytes)).toBe(0);
      worker.release();
    }
  });

  it('goes in parts where no memory can be had for a buffer', () => {
    const { parent, worker } = ends();
    const create = vi.spyOn(Region, 'create').mockImplementation(() => {
      throw new MultiprocessError('no memory left', { code: 'MP_SYSTEM' });
    });
    for (let seed = 1; seed < 4; seed++) {
      pass(parent, worker, seed);
      expect(worker.owned).toBe(true);
      worker.release();
    }
    create.mockRestore();
  });
});
