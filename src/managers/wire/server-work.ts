/** What a manager tells the process of its server, and what that answers before it serves. */
import type { Address, ListenerTls } from '../../connection/index.js';
import type { SerializerOption } from '../../reduction/index.js';
import type { ManagedType } from '../registry.js';

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
  /** The manager, as a client. */
  readonly client: { readonly pid: number; readonly name: string };
  readonly initializer: ((...args: unknown[]) => unknown) | null;
  readonly initArgs: readonly unknown[];
}

/**
 * What a client is told whose connection was there from the start: the server, its session, the
 * types.
 */
export type Greeting = readonly [server: string, session: number, typeids: readonly string[]];

/** What the server says first. */
export type ServerNews =
  | readonly [address: Address, error: null, greeting: Greeting | null]
  | readonly [address: null, error: unknown, greeting: null];
