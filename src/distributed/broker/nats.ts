/**
 * The client packages of NATS, which are optional peers of this package: loaded when the first
 * connection is made.
 */
import type * as JetStream from '@nats-io/jetstream';
import type * as Transport from '@nats-io/transport-node';
import { UnsupportedError } from '../../errors/index.js';
import { importModule } from '../../util/import-module.js';

/** What is used of them. */
export interface Nats {
  readonly connect: typeof Transport.connect;
  readonly headers: typeof Transport.headers;
  readonly errors: typeof Transport.errors;
  readonly jetstreamManager: typeof JetStream.jetstreamManager;
}

const PACKAGES = ['@nats-io/transport-node', '@nats-io/jetstream'] as const;
let loaded: Promise<Nats> | undefined;

/** @throws (rejects) UnsupportedError `MP_NO_NATS` when one of them is missing. */
export function loadNats(): Promise<Nats> {
  loaded ??= load();
  loaded.catch(() => (loaded = undefined));
  return loaded;
}

async function load(): Promise<Nats> {
  const [transport, jetstream] = await Promise.all(PACKAGES.map(loadPackage));
  const { connect, headers, errors } = transport as unknown as typeof Transport;
  const { jetstreamManager } = jetstream as unknown as typeof JetStream;
  return { connect, headers, errors, jetstreamManager };
}

async function loadPackage(name: string): Promise<Record<string, unknown>> {
  try {
    return await importModule(name);
  } catch (cause) {
    throw new UnsupportedError(
      `multiprocess/distributed: the package ${name} cannot be loaded; install the client packages of NATS: npm install ${PACKAGES.join(' ')}`,
      { code: 'MP_NO_NATS', cause },
    );
  }
}
