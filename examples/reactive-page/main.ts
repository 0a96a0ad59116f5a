/**
 * A page on which a heavy job is started, watched and cancelled.
 *
 *   node .build/examples/reactive-page/main.js [--port PORT] [--processes N]
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { cpuCount, Pool } from 'multiprocess';
import { createApp } from './server.js';
import { watchPool } from './watch-pool.js';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '3000' },
    processes: { type: 'string', default: String(Math.max(2, cpuCount())) },
  },
});

const end = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
// One worker stays, the others come when there is work and go when there is none.
await using pool = new Pool({ processes: Number(values.processes), minProcesses: 1, idleTimeout: 10_000 });
using watched = watchPool(pool);
const app = createApp(pool, watched.state);
console.log(`open ${await app.listen({ host: '127.0.0.1', port: Number(values.port) })}`);
await end;
await app.close();
