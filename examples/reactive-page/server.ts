/** The web server: the page, and two streams of events (server-sent events, which browsers read by themselves). */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { StateTopic, TaskStream } from 'multiprocess';
import type { Pool } from 'multiprocess/pool';
import { drawTile, type Tile, tilesOf, type View } from './mandelbrot.js';
import { DETAILS, type EndMessage, PICTURE, PLACES, type TileMessage, type WorkersMessage } from './messages.js';

/** What does not change: where it is, and what it is. */
const FILES = {
  '/': ['../../../examples/reactive-page/page/index.html', 'text/html; charset=utf-8'],
  '/page.css': ['../../../examples/reactive-page/page/page.css', 'text/css; charset=utf-8'],
  '/page.js': ['./page/page.js', 'text/javascript; charset=utf-8'],
  '/workers.js': ['./page/workers.js', 'text/javascript; charset=utf-8'],
  '/messages.js': ['./messages.js', 'text/javascript; charset=utf-8'],
} as const;

const view = {
  type: 'object',
  required: ['place', 'detail'],
  properties: { place: { enum: Object.keys(PLACES) }, detail: { enum: Object.keys(DETAILS) } },
};

/** Makes the server; `listen` starts it. */
export function createApp(pool: Pool, state: StateTopic<WorkersMessage>): FastifyInstance {
  // Streams of events end when the server does.
  const app = fastify({ forceCloseConnections: true });
  app.addHook('onRequest', (_request, reply, next) => {
    void reply
      .header('content-security-policy', "default-src 'self'; img-src 'self' data:")
      .header('x-content-type-options', 'nosniff');
    next();
  });
  for (const [path, [file, type]] of Object.entries(FILES)) {
    app.get(path, (_request, reply) =>
      reply.type(type).send(createReadStream(fileURLToPath(new URL(file, import.meta.url)))),
    );
  }

  // A job is its request: who goes away, or cancels, closes the stream, and that stops the workers at once.
  app.get<{ Querystring: View }>('/picture', { schema: { querystring: view } }, ({ query }, reply) => {
    const tiles = tilesOf(PICTURE);
    const { place, detail } = query;
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    // The window keeps a page that reads slowly from filling the server, and leaves room for the others.
    const drawn = pool.imapUnordered((tile) => drawTile({ place, detail }, tile), tiles, {
      window: 8,
      chunkSize: 1,
      retries: 2,
      signal: gone.signal,
    });
    return sendEvents(reply, picture(drawn, tiles.length));
  });

  app.get('/workers', (_request, reply) => sendEvents(reply, workers(state)));
  return app;
}

type ServerEvent = readonly ['tile', TileMessage] | readonly ['end', EndMessage] | readonly ['workers', WorkersMessage];

async function* picture(drawn: TaskStream<Tile>, total: number): AsyncGenerator<ServerEvent> {
  const start = performance.now();
  const pids = new Set<number>();
  let done = 0;
  for await (const { pixels, ...tile } of drawn) {
    pids.add(tile.pid);
    yield ['tile', { ...tile, pixels: Buffer.from(pixels).toString('base64'), done: ++done, total }];
  }
  yield ['end', { seconds: (performance.now() - start) / 1000, workers: pids.size }];
}

async function* workers(state: StateTopic<WorkersMessage>): AsyncGenerator<ServerEvent> {
  for await (const message of state.stream()) yield ['workers', message];
}

/** Events are asked for as the connection takes them. When it closes, the generator returns. */
function sendEvents(reply: FastifyReply, events: AsyncGenerator<ServerEvent>): FastifyReply {
  const lines = async function* (): AsyncGenerator<string> {
    for await (const [name, data] of events) yield `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  };
  return reply
    .header('content-type', 'text/event-stream')
    .header('cache-control', 'no-store')
    .send(Readable.from(lines(), { highWaterMark: 4 }));
}
