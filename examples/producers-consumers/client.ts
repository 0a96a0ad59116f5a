/** The side of producers and consumers: where the server is, and what it has. */
import { BaseManager, type Remote } from 'multiprocess/managers';
import type { Desk } from './desk.js';

class Desks extends BaseManager {
  declare readonly desk: () => Promise<Remote<Desk>>;
}
Desks.register('desk');

/** Who does not know the key is refused. Never on the command line, where others can read it. */
export function keyOfEnvironment(): string {
  const { DESK_KEY } = process.env;
  if (!DESK_KEY) throw new Error('the environment variable DESK_KEY has no key: give the same one to all programs');
  return DESK_KEY;
}

/** A connection to the desk at `HOST:PORT`. */
export async function connectDesk(address: string): Promise<{ desk: Remote<Desk>; close(): Promise<void> }> {
  const [host, port] = address.split(':') as [string, string];
  const desks = new Desks({ address: { host, port: Number(port) }, authkey: keyOfEnvironment() });
  await desks.connect();
  return { desk: await desks.desk(), close: () => desks.shutdown() };
}
