/** What carries a peer before there is a connection: a descriptor, or a socket of Node. */
import { Socket } from 'node:net';
import { closeDescriptor } from '../../native/index.js';
import { StreamTransport } from './stream-transport.js';
import { TransportMaker } from './transport.js';

/** Owned by whoever has it. */
export type Carrier = number | Socket;

/** Closes it. */
export function hangUp(carrier: Carrier): void {
  if (typeof carrier === 'number') closeDescriptor(carrier);
  else carrier.destroy();
}

/** Returns it as a socket of Node, which TLS goes over. */
export function socketOf(carrier: Carrier): Socket {
  if (typeof carrier === 'number') return new Socket({ fd: carrier, readable: true, writable: true });
  return carrier.ref();
}

/** Returns what a Connection over it is made with. */
export function transportOver(carrier: Carrier): number | TransportMaker {
  if (typeof carrier === 'number') return carrier;
  return new TransportMaker((onReady) => new StreamTransport(carrier, 'over TCP without the native addon', onReady));
}
