/** What runs in a manager's server process: makes the server, tells the manager where it is, and serves. */
import { isMainThread } from 'node:worker_threads';
import type { Address, Connection, ListenerTls } from '../connection/index.js';
import { type SerializerOption, serializerOf } from '../reduction/index.js';
import { definedType, type ManagedType } from './registry.js';
import { Server } from './server.js';
import './client.js';

/** A type as it is sent to the server: by the module that defines it, or as it is. */
export type SentType = readonly [typeid: string, module: string | null, type: ManagedType | null];

/** What a server is told. */
export interface ServerWork {
  readonly types: readonly SentType[];
  readonly address: Address | null;
  /** In hex. */
  readonly authkey: string;
  readonly tls: ListenerTls | null;
  readonly serializer: SerializerOption;
  readonly initializer: ((...args: unknown[]) => unknown) | null;
  readonly initArgs: readonly unknown[];
}

/** What the server says first. */
export type ServerNews = readonly [address: Address, error: null] | readonly [address: null, error: unknown];

/** Serves until the server is stopped; then the process ends. */
export default async function serve(work: ServerWork, manager: Connection<ServerNews>): Promise<void> {
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
    await manager.send([null, error]).catch(() => manager.send([null, new Error(String(error))]));
    manager.close();
    return;
  }
  const serving = server.serveForever();
  await manager.send([server.address, null]);
  manager.close();
  await serving;
  process.exit(0);
}

async function registryOf(types: readonly SentType[]): Promise<Map<string, ManagedType>> {
  const modules = new Set(types.map(([, module]) => module).filter((module) => module !== null));
  await Promise.all([...modules].map((module) => import(module)));
  return new Map(types.map(([typeid, , type]) => [typeid, type ?? definedType(typeid)!]));
}
