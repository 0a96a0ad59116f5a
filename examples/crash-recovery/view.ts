/** What is shown of a pool. */
import type { PoolEvent, PoolStats } from 'multiprocess/pool';

const WIDTH = 24;
/** Events that stay on the screen. */
const SHOWN = 6;

/** A table of the workers, how much is settled, and what happened last. */
export function view(stats: PoolStats, settled: number, of: number, events: readonly string[]): string[] {
  // A successor has the number of the worker that was lost, and so its place.
  const workers = [...stats.workers].sort((a, b) => a.number - b.number);
  const filled = Math.round((settled / of) * WIDTH);
  return [
    `${'#'.repeat(filled).padEnd(WIDTH, '.')} ${settled}/${of} settled, workers lost: ${stats.crashed}`,
    ...workers.map(
      ({ number, pid, state, done }) => `worker ${number}  process ${pid}  ${state.padEnd(8)}  ${done} done`,
    ),
    ...events.slice(-SHOWN),
  ];
}

/** One line about an event; `null` for those that say nothing here. */
export function told(event: PoolEvent): string | null {
  switch (event.type) {
    case 'worker-crash':
      return `worker ${event.number}, process ${event.pid}, was lost by ${event.error.signal}`;
    case 'worker-ready':
      return `worker ${event.number}, process ${event.pid}, is ready`;
    case 'item-retry':
      return `item ${event.itemIndex} runs again, attempt ${event.attempt}`;
    default:
      return null;
  }
}
