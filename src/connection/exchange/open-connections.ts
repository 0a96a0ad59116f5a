/** Connections of this thread that are open: what becomes of them when nobody closes them. */
import { isMainThread } from 'node:worker_threads';
import type { StandingOffer } from '../../reduction/index.js';
import { registerAfterFork, registerBeforeFork } from '../../util/after-fork.js';
import { atExit, keptByForks, writesAtExit } from '../../util/at-exit.js';
import type { Transport } from '../transport/transport.js';
import { closing, type Exchange } from './exchange.js';

/** What a connection that is open here has. */
export interface OpenConnection {
  readonly transport: Transport;
  readonly offer: StandingOffer;
  readonly exchange: Exchange;
}

const open = new Set<OpenConnection>();
const abandoned = new FinalizationRegistry<OpenConnection>(giveUp);

function giveUp(resources: OpenConnection): void {
  open.delete(resources);
  resources.transport.close();
  resources.offer.release();
}

// Before children are joined, who may wait for it: what was sent is on its way, whether its sender
// awaits it or not.
process.prependListener(
  'exit',
  keptByForks(() => {
    for (const { exchange } of open) exchange.flushAtEnd();
    for (const exchange of closing) exchange.flushAtEnd();
  }),
);
writesAtExit(() => {
  const unsent = [...[...open].map(({ exchange }) => exchange), ...closing].filter(
    ({ outbox, transport }) => !outbox.empty && transport.fd >= 0,
  );
  for (const { outbox } of unsent) outbox.flush();
  return unsent.some(({ outbox }) => !outbox.empty);
});
// Descriptors are the process's: those of a thread that ends would stay open.
if (!isMainThread) atExit('release', () => open.forEach(giveUp));

// A copy of this process has the same ends of the same connections.
registerBeforeFork(() => {
  for (const { exchange } of open) exchange.share();
});
registerAfterFork(open, (inherited) => {
  for (const { exchange } of inherited) exchange.forget();
  closing.clear();
});

/** Gives the resources of a connection up when it is collected, or the thread ends. */
export function trackConnection(connection: object, resources: OpenConnection): void {
  open.add(resources);
  abandoned.register(connection, resources, connection);
}

/** It was closed: its transport is its own affair. */
export function untrackConnection(connection: object, resources: OpenConnection): void {
  abandoned.unregister(connection);
  open.delete(resources);
  resources.offer.release();
}
