/** tinypool: a fork of piscina. */
import { Tinypool } from 'tinypool';

const filename = new URL('./tasks.js', import.meta.url).href;

export function openTinypool(name, workers) {
  const pool = new Tinypool({ filename, name, minThreads: workers, maxThreads: workers, concurrentTasksPerWorker: 32 });
  return { run: (value) => pool.run(value), close: () => pool.destroy() };
}
