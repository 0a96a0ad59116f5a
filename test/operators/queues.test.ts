import { Pool, Queue } from 'multiprocess';
import { fromQueue, poolMap, throughQueue, toQueue } from 'multiprocess/operators';
import { EMPTY, from, lastValueFrom, map, NEVER, type Observable, of, Subject, throwError, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../support/until.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const made: Queue<number>[] = [];
afterEach(() => {
  for (const queue of made.splice(0)) queue.close();
});
function open(options?: ConstructorParameters<typeof Queue<number>>[0]): Queue<number> {
  const queue = new Queue<number>(options);
  made.push(queue);
  return queue;
}

it('what is no queue is refused at once', () => {
  for (const call of [toQueue, fromQueue, throughQueue])
    expect(() => call({} as never)).toThrow(/`queue` must be a Queue or a JoinableQueue/);
});

describe('toQueue', () => {
  it.each<[string, Observable<number>]>([
    ['an item', of(1)],
    ['the end', EMPTY],
    ['an error', throwError(() => new Error('of the source'))],
  ])('a queue that is closed is an error of the stream: %s', async (name, source) => {
    const queue = open();
    queue.close();
    const ended = lastValueFrom(source.pipe(toQueue(queue)), { defaultValue: 'nothing' });
    await expect(ended).rejects.toThrow(name === 'an error' ? 'of the source' : 'is closed');
  });

  it('an error that cannot be sent ends the stream with it, and the queue with why', async () => {
    const queue = open();
    const reason = Symbol('of the source');
    const ended = lastValueFrom(throwError(() => reason).pipe(toQueue(queue)));
    await expect(ended).rejects.toBe(reason);
    await expect(queue.get()).rejects.toMatchObject({ code: 'MP_SYMBOL' });
  });

  it('puts every item, waiting for room, then completes', async () => {
    const queue = open({ maxSize: 3 });
    const putting = lastValueFrom(from(upTo(50)).pipe(toQueue(queue)), { defaultValue: 'nothing' });
    expect(await fromQueue(queue).toArray()).toEqual(upTo(50));
    expect(await putting).toBe('nothing');
  });

  it('pulls what can be pulled: it runs no further ahead than there is room', async () => {
    const [source, queue] = [open(), open({ maxSize: 2 })];
    for (const item of upTo(1_000)) source.putNowait(item);
    const subscription = source.consume({ prefetch: 1 }).pipe(toQueue(queue)).subscribe();
    await until(() => queue.full(), 'a full queue');
    expect(source.qsize()).toBeGreaterThan(900);
    subscription.unsubscribe();
  });

  it('hands an error of the source to the queue and to the subscriber', async () => {
    const queue = open();
    const source = new Subject<number>();
    const failed = new Promise((done) => source.pipe(toQueue(queue)).subscribe({ error: done }));
    source.next(1);
    source.error(new RangeError('torn'));
    expect(await failed).toBeInstanceOf(RangeError);
    expect(await queue.get()).toBe(1);
    await expect(queue.get()).rejects.toThrow('torn');
  });

  it('puts nothing more once it is unsubscribed, and completes nothing', async () => {
    const queue = open({ maxSize: 1 });
    const subscription = from(upTo(10)).pipe(toQueue(queue)).subscribe();
    await until(() => queue.full(), 'a full queue');
    subscription.unsubscribe();
    expect(await queue.get()).toBe(0);
    await expect(queue.get({ timeout: 100 })).rejects.toMatchObject({ code: 'MP_QUEUE_EMPTY' });
  });

  it('leaves the end to others with end: false', async () => {
    const queue = open();
    await lastValueFrom(from([1]).pipe(toQueue(queue, { end: false })), { defaultValue: null });
    await queue.put(2);
    queue.complete();
    expect(await fromQueue(queue).toArray()).toEqual([1, 2]);
  });

  it('refuses unknown options', () => {
    expect(() => toQueue(open(), { ended: true } as object)).toThrow('did you mean `end`');
  });
});

describe('throughQueue', () => {
  it('emits what comes out of the queue, and completes with it', async () => {
    const queue = open({ maxSize: 2 });
    expect(await lastValueFrom(from(upTo(20)).pipe(throughQueue(queue), toArray()))).toEqual(upTo(20));
  });

  it('unsubscribes from both ends', async () => {
    const queue = open();
    const subscription = NEVER.pipe(throughQueue(queue as Queue<never>)).subscribe();
    subscription.unsubscribe();
    await queue.put(1);
    expect(await queue.get()).toBe(1);
  });
});

describe('poolMap', () => {
  it('refuses at once what is no pool, no option and no value of one, by its own name', async () => {
    const fn = (n: number) => n;
    for (const pool of [{}, null, undefined, 5, Pool])
      expect(() => poolMap(pool as never, fn)).toThrow(/^poolMap: `pool` must be a Pool, not /);
    await using pool = new Pool({ processes: 1 });
    expect(() => poolMap(pool, 5 as never)).toThrow('poolMap: expected a function, a task() or the URL of a module');
    const refused = (options: object) => expect(() => poolMap(pool, fn, options));
    refused({ orderd: false }).toThrow('poolMap: misspelled option `orderd`: did you mean `ordered`?');
    refused({ sorted: true }).toThrow(/^poolMap: unknown option `sorted`; known are .*`ordered`/);
    refused({ window: 0 }).toThrow('poolMap: `window` must be an integer of at least 1, not 0.');
    refused({ priority: 'x' }).toThrow('poolMap: `priority` must be a number, not "x".');
    expect(() => poolMap(pool, fn, 5 as never)).toThrow('poolMap: options must be an object, not 5.');
  });

  it('runs a stream in a pool, in order or as results finish', async () => {
    const pool = new Pool({ processes: 2 });
    const double = (n: number) => 2 * n;
    const expected = upTo(100).map(double);
    expect(await lastValueFrom(from(upTo(100)).pipe(poolMap(pool, double), toArray()))).toEqual(expected);
    const unordered = await lastValueFrom(
      from(upTo(100)).pipe(poolMap(pool, double, { ordered: false }), map(Number), toArray()),
    );
    expect(unordered.sort((a, b) => a - b)).toEqual(expected);
    const queue = open();
    for (const item of upTo(10)) queue.putNowait(item);
    queue.complete();
    expect(await lastValueFrom(queue.pipe(poolMap(pool, double), toArray()))).toEqual(upTo(10).map(double));
    pool.close();
    await pool.join();
  });
});
