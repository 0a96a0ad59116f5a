import type { BaseProxy } from '../proxy.js';
import type { Remote } from '../remote.js';

/** The methods that a proxy's class takes over from the object as they are, each of which asks the server. */
export type RemoteMethods<T, Except extends string> = Omit<Remote<T>, Except | keyof BaseProxy>;
