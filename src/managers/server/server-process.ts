/**
 * What runs in a manager's server process: makes the server, tells the manager where it is, and
 * serves.
 */
import { isMainThread } from 'node:worker_threads';
import { Connection } from '../../connection/index.js';
import { DupFd, serializerOf } from '../../reduction/index.js';
import { importModule } from '../../util/import-module.js';
import { definedType, type ManagedType } from '../registry.js';
import { Server } from '../server.js';
import type { SentType, ServerNews, ServerWork } from '../wire/server-work.js';
import '../client/channels.js';

/**
 * Serves until the server is stopped; then the process ends.
 *
 * @param given where the news goes. A descriptor is the manager's own connection from then on,
 * which needs no handshake.
 */
export default async function serve(work: ServerWork, given: Connection<ServerNews> | DupFd): Promise<void> {
  const manager = given instanceof DupFd ? new Connection<ServerNews>(given.detach()) : given;
  // Ctrl-C goes to the whole group; the manager ends the server.
  if (isMainThread) process.on('SIGINT', () => {});
  let server: Server;
  try {
    await work.initializer?.(...work.initArgs);
    server = new Server(await registryOf(work.types), {
      address: work.address ?? undefined,
      authkey: Buffer.from(work.authkey, 'hex'),
      tls: work.tls ?? undefined,
      serializer: serializerOf('manager', work.serializer),
    });
    await server.listen();
  } catch (error) {
    await manager.send([null, error, null]).catch(() => manager.send([null, new Error(String(error)), null]));
    manager.close();
    return;
  }
  const serving = server.serveForever();
  if (given instanceof DupFd) {
    const session = server.adopt(manager as Connection, work.client.pid, work.client.name);
    await manager.send([server.address, null, [server.name, session.id, server.typeids()]]);
    void session.serve();
  } else {
    await manager.send([server.address, null, null]);
    manager.close();
  }
  await serving;
  process.exit(0);
}

async function registryOf(types: readonly SentType[]): Promise<Map<string, ManagedType>> {
  const modules = new Set(types.map(([, module]) => module).filter((module) => module !== null));
  await Promise.all([...modules].map((module) => importModule(module)));
  return new Map(types.map(([typeid, , type]) => [typeid, type ?? definedType(typeid)!]));
}
