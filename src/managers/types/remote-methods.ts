import type { BaseProxy } from '../proxy.js';
import type { Hidden, RemoteMembers } from '../remote.js';

/**
 * The methods that a proxy's class takes over from the object as they are, each of which asks the
 * server.
 */
export type RemoteMethods<T, Except extends string> = RemoteMembers<
  T,
  Exclude<keyof T, Hidden | Except | keyof BaseProxy>
>;
