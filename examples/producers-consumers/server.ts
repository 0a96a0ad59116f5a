/**
 * The server: has the desk, and says at the end what came out.
 *
 *   DESK_KEY=... node .build/examples/producers-consumers/server.js [--host HOST] [--port PORT] [--producers N]
 */
import { parseArgs } from 'node:util';
import { BaseManager } from 'multiprocess/managers';
import { keyOfEnvironment } from './client.js';
import { Desk } from './desk.js';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    producers: { type: 'string', default: '1' },
  },
});

const desk = new Desk(Number(values.producers));
class Desks extends BaseManager.with({ desk: () => desk }) {}
const address = { host: values.host, port: Number(values.port) };
const server = new Desks({ address, authkey: keyOfEnvironment() }).getServer();
const serving = server.serveForever();
const { host, port } = (await server.listen()) as typeof address;
console.log(`the desk is at ${host}:${port}`);

const { jobs, back, counts } = await desk._finished;
const words = [...counts.values()].reduce((sum, count) => sum + count, 0);
const most = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, 5);
console.log(`${jobs} jobs are done, ${back} of them came back once: ${words} words`);
console.log(most.map(([word, count]) => `${word} ${count}`).join(', '));
server.stop();
await serving;
