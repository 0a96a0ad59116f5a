/** The kernel of threads without the addon: what it keeps, for whom, and until when. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createTable, enterAgent, isLiving, nextNumber } from '../../../src/native/threads/agent-table.js';
import { Kernel, Kind, type Request, type Thing } from '../../../src/native/threads/kernel.js';
import { LISTENER_BYTES } from '../../../src/native/threads/listener-words.js';
import { PIPE_BYTES, PipeEnd } from '../../../src/native/threads/pipe-words.js';

let table: Int32Array;
let kernel: Kernel;
let time: number;
let one: number;
let other: number;
let removed: string[];
beforeEach(() => {
  table = createTable();
  time = 0;
  removed = [];
  kernel = new Kernel(
    { table, things: new Map(), offers: new Map(), paths: new Map() },
    () => time,
    (path) => removed.push(path),
  );
  one = enterAgent(table);
  other = enterAgent(table);
});

const ask = (agent: number, request: Request): unknown => kernel.handle(agent, request);
const count = (): unknown => ask(one, { type: 'count' });

function make(
  agent: number,
  kind: Kind,
  bytes = 64,
  options: { memory?: SharedArrayBuffer; side?: 0 | 1; peer?: number } = {},
): number {
  const number = nextNumber(table);
  const thing: Thing = { kind, memory: options.memory ?? new SharedArrayBuffer(bytes), side: options.side ?? 0 };
  ask(agent, { type: 'create', number, thing, peer: options.peer ?? 0 });
  return number;
}

function pair(agent: number): { numbers: [number, number]; ends: [PipeEnd, PipeEnd] } {
  const memory = new SharedArrayBuffer(PIPE_BYTES);
  const first = make(agent, Kind.Pipe, 0, { memory, side: 0 });
  const second = make(agent, Kind.Pipe, 0, { memory, side: 1, peer: first });
  ask(agent, { type: 'pair', number: first, peer: second });
  return { numbers: [first, second], ends: [new PipeEnd(memory, 0), new PipeEnd(memory, 1)] };
}

const acquire = (agent: number, number: number): Thing | null =>
  ask(agent, { type: 'acquire', number, hold: true }) as Thing | null;
const release = (agent: number, number: number): unknown => ask(agent, { type: 'release', number });

describe('a path', () => {
  it('is removed with the thread that answers for it, unless that gave it up', () => {
    for (const path of ['kept', 'given up']) ask(one, { type: 'path', path, own: true });
    ask(other, { type: 'path', path: "another's", own: true });
    ask(one, { type: 'path', path: 'given up', own: false });
    kernel.ended(one);
    expect(removed).toEqual(['kept']);
    kernel.ended(other);
    expect(removed).toEqual(['kept', "another's"]);
  });
});

describe('a thing', () => {
  it('is kept until each who has it has given it back as often', () => {
    const number = make(one, Kind.Memory);
    expect(acquire(other, number)?.kind).toBe(Kind.Memory);
    acquire(other, number);
    release(one, number);
    release(other, number);
    expect(count()).toBe(1);
    release(other, number);
    expect(count()).toBe(0);
    expect(acquire(other, number)).toBeNull();
  });

  it('goes with the end of who had it, whatever that had not given back', () => {
    const [mine, ours] = [make(one, Kind.Memory), make(one, Kind.Bell)];
    acquire(one, mine);
    acquire(other, ours);
    expect(isLiving(table, one)).toBe(true);
    kernel.ended(one);
    expect(isLiving(table, one)).toBe(false);
    expect([acquire(other, mine), acquire(other, ours)?.kind]).toEqual([null, Kind.Bell]);
  });

  it('that somebody does not have is not taken away from others', () => {
    const number = make(one, Kind.Memory);
    release(other, number);
    kernel.ended(other);
    expect(count()).toBe(1);
  });
});

describe('memory', () => {
  const piece = (number: number, offset: number, size: number): unknown =>
    ask(one, { type: 'piece', number, offset, size });

  it('has one piece at an offset, until it is dropped or overlapped', () => {
    const number = make(one, Kind.Memory, 4096);
    const first = piece(number, 4096, 100);
    expect(piece(number, 4096, 100)).toBe(first);
    expect(ask(one, { type: 'size', number })).toBe(4196);
    piece(number, 4000, 200);
    expect(piece(number, 4096, 100)).not.toBe(first);
    const dropped = piece(number, 4096, 100);
    ask(one, { type: 'drop', number, offset: 0, length: 4097 });
    expect(piece(number, 4096, 100)).not.toBe(dropped);
  });
});

describe('an end of a stream', () => {
  const agents = { own: 1, hasEnded: () => false };
  const byte = new Uint8Array([7]);
  const nothing = (): void => {};

  it('is at its end for the peer when nobody has it any more, after what was written', () => {
    const { numbers, ends } = pair(one);
    acquire(other, numbers[0]);
    ends[0].write(agents, byte);
    release(one, numbers[0]);
    expect(ends[1].peerClosed).toBe(false);
    kernel.ended(other);
    const got = new Uint8Array(4);
    expect(ends[1].read(agents, got, false, 0, nothing)).toBe(1);
    expect(ends[1].read(agents, got, false, 0, nothing)).toBe(0);
    expect(ends[1].write(agents, byte)).toBe(-2);
  });

  /** Sends a bell with a byte, and gives it back. */
  function load(): { bell: number; numbers: [number, number]; ends: [PipeEnd, PipeEnd] } {
    const { numbers, ends } = pair(one);
    const bell = make(one, Kind.Bell);
    ends[0].write(agents, byte, (position) => ask(one, { type: 'load', number: numbers[0], position, load: bell }));
    release(one, bell);
    return { bell, numbers, ends };
  }
  const isKept = (bell: number): boolean => ask(one, { type: 'acquire', number: bell, hold: false }) !== null;

  it('keeps what travels with a byte until that is read', () => {
    const { bell, numbers, ends } = load();
    expect(isKept(bell)).toBe(true);
    ends[1].read(agents, new Uint8Array(1), true, 0, () => expect.unreachable('it was only looked at'));
    const taken = (position: number): unknown => ask(other, { type: 'taken', number: numbers[1], position });
    ends[1].read(agents, new Uint8Array(1), false, 0, taken);
    expect(isKept(bell)).toBe(false);
  });

  it('keeps it also when its writer is gone, and until the reader is', () => {
    const { bell, numbers } = load();
    release(one, numbers[0]);
    expect(isKept(bell)).toBe(true);
    release(one, numbers[1]);
    expect(isKept(bell)).toBe(false);
    expect(count()).toBe(0);
  });

  it('keeps nothing that was read before the kernel heard of it', () => {
    const { numbers, ends } = pair(one);
    const bell = make(one, Kind.Bell);
    let position = 0;
    ends[0].write(agents, byte, (at) => (position = at));
    ends[1].read(agents, new Uint8Array(1), false, 0, nothing);
    ask(one, { type: 'load', number: numbers[0], position, load: bell });
    release(one, bell);
    expect(isKept(bell)).toBe(false);
  });
});

describe('an offer', () => {
  const offer = (number: number, released = false): unknown =>
    ask(one, { type: 'offer', key: 'key', number, duration: 100, released });
  const fetch = (): unknown => ask(other, { type: 'fetch', key: 'key' });

  it('keeps its thing until its time is over, but not while a message is under way', () => {
    const number = make(one, Kind.Memory);
    offer(number);
    release(one, number);
    ask(one, { type: 'holdOffer', key: 'key', on: true, duration: 100 });
    time = 1_000;
    expect(kernel.tidy()).toBeNull();
    expect(count()).toBe(1);
    ask(one, { type: 'holdOffer', key: 'key', on: false, duration: 100 });
    expect(kernel.tidy()).toBe(1_100);
    time = 1_100;
    kernel.tidy();
    expect([count(), fetch()]).toEqual([0, 0]);
  });

  it('ends, once it was released, when it was had as often as it was sent', () => {
    const number = make(one, Kind.Memory);
    offer(number);
    ask(one, { type: 'renew', key: 'key', duration: 100 });
    ask(one, { type: 'releaseOffer', key: 'key' });
    expect([fetch(), fetch(), fetch()]).toEqual([number, number, 0]);
  });
});

describe('a listener', () => {
  const listen = (name: string): [number, SharedArrayBuffer, unknown] => {
    const number = nextNumber(table);
    const memory = new SharedArrayBuffer(LISTENER_BYTES);
    return [number, memory, ask(one, { type: 'listen', number, name, memory })];
  };

  it('lets in who came, in order, and has its name alone', () => {
    const [number, memory, made] = listen('here');
    expect([made, listen('here')[2]]).toEqual([0, -98]);
    const came = [pair(other), pair(other)].map(({ numbers }) => numbers[1]);
    for (const end of came) expect(ask(other, { type: 'connect', name: 'here', number: end })).toBe(0);
    expect(new Int32Array(memory)[1]).toBe(2);
    const accept = (): unknown => ask(one, { type: 'accept', number });
    expect([accept(), accept(), accept()]).toEqual([...came, 0]);
    expect(new Int32Array(memory)[1]).toBe(0);
  });

  it('refuses who comes when it is gone, and lets go of who waits', () => {
    const [number] = listen('here');
    const { numbers, ends } = pair(other);
    ask(other, { type: 'connect', name: 'here', number: numbers[1] });
    release(other, numbers[1]);
    expect(ends[0].peerClosed).toBe(false);
    release(one, number);
    expect(ends[0].peerClosed).toBe(true);
    expect(ask(other, { type: 'connect', name: 'here', number: numbers[0] })).toBe(-111);
  });
});

describe('agents', () => {
  it('have numbers of their own, and their slots are used again', () => {
    const seen = new Set<number>();
    for (let i = 0; i < 20_000; i++) {
      const agent = enterAgent(table);
      expect(seen.has(agent)).toBe(false);
      seen.add(agent);
      kernel.ended(agent);
      expect(isLiving(table, agent)).toBe(false);
    }
    expect(isLiving(table, one)).toBe(true);
  });
});
