/** The state of a pool for all who look: one that writes, any number that read, each the newest only. */
import { StateTopic } from 'multiprocess';
import type { Pool, PoolEvent, PoolStats } from 'multiprocess/pool';
import { merge, timer } from 'rxjs';
import type { WorkersMessage } from './messages.js';

/** Milliseconds between two looks. */
const PERIOD = 250;
const EVENTS = 5;

/** Starts to watch a pool. Disposing of it ends the topic, and so the streams of those who look. */
export function watchPool(pool: Pool): Disposable & { readonly state: StateTopic<WorkersMessage> } {
  const state = new StateTopic<WorkersMessage>({ workers: [], rate: 0, watching: 0, events: [] });
  const events: string[] = [];
  let before = { time: performance.now(), stats: pool.stats() };

  const telling = pool.events.subscribe((event) => {
    events.unshift(told(event));
    events.length = Math.min(events.length, EVENTS);
  });
  const looking = merge(timer(0, PERIOD), pool.events).subscribe((tick) => {
    const now = { time: performance.now(), stats: pool.stats() };
    const { workers, rate } = compare(before, now);
    // Events come in bursts: what is measured needs a whole period.
    if (typeof tick === 'number') before = now;
    state.next({ workers, rate, watching: state.subscribers, events: [...events] });
  });
  return {
    state,
    [Symbol.dispose]() {
      telling.unsubscribe();
      looking.unsubscribe();
      state.complete();
      state.close();
    },
  };
}

interface Look {
  readonly time: number;
  readonly stats: PoolStats;
}

function compare(before: Look, now: Look): Pick<WorkersMessage, 'workers' | 'rate'> {
  const elapsed = Math.max(1, now.time - before.time);
  // A successor has the number of the worker that was lost, and so its place.
  const inOrder = [...now.stats.workers].sort((a, b) => a.number - b.number);
  const workers = inOrder.map(({ name, number, pid, state, done, workTime }) => {
    const worked = before.stats.workers.find((worker) => worker.name === name)?.workTime ?? 0;
    return { number, pid, state, done, busy: Math.min(1, Math.max(0, (workTime - worked) / elapsed)) };
  });
  return { workers, rate: ((now.stats.done - before.stats.done) / elapsed) * 1000 };
}

function told(event: PoolEvent): string {
  switch (event.type) {
    case 'worker-start':
      return `worker ${event.number} starts, process ${event.pid}`;
    case 'worker-ready':
      return `worker ${event.number} is ready`;
    case 'worker-exit':
      return `worker ${event.number} had nothing to do and ended`;
    case 'worker-crash':
      return `worker ${event.number} was lost (${event.error.signal ?? event.error.exitCode}); its tile goes to another`;
    case 'item-retry':
      return 'a tile is drawn again';
    case 'worker-memory':
      return `worker ${event.number} takes too much memory`;
    case 'worker-exit-failed':
      return `worker ${event.number} failed at its end`;
  }
}
