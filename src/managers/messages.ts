/** Errors of managers: who failed, why, and what to do. */

import {
  ArgumentError,
  ClosedError,
  ConnectionError,
  ProcessError,
  RemoteError,
  SerializationError,
  TimeoutError,
} from '../errors/index.js';
import { type Address, showAddressOf } from './address.js';

/** The server is gone, with all of its objects. */
export function serverLost(name: string, address: Address, cause?: unknown): ConnectionError {
  return new ConnectionError(
    `The manager's server ${name} at ${showAddressOf(address)} has ended or cannot be reached, and its objects with it; look why it ended, then start a manager and make them anew.`,
    { code: 'MP_MANAGER_LOST', ...(cause === undefined ? {} : { cause }) },
  );
}

/** A server is at the address, but not the one that had the object. */
export function otherServer(address: Address): ConnectionError {
  return new ConnectionError(
    `The manager's server at ${showAddressOf(address)} was restarted since this proxy was made, and its object went with the old one; make it anew.`,
    { code: 'MP_MANAGER_LOST' },
  );
}

/** The server and we do not speak the same way. */
export function otherProtocol(address: Address, version: number, serializer: string): ConnectionError {
  return new ConnectionError(
    `The manager's server at ${showAddressOf(address)} speaks version ${version} of the protocol with the serializer ${serializer}; give this manager the same \`serializer\`, and both sides the same version of the package.`,
    { code: 'MP_PROTOCOL' },
  );
}

/** Functions that a type runs elsewhere, as those of a Pool, need the codec of this library. */
export function functionNotCarried(name: string): SerializationError {
  return new SerializationError(
    `The function ${name === '' ? '(anonymous)' : name} is to run in another process, and the serializer of this manager carries plain data only; give the manager the serializer 'multiprocess', or use a Pool of your own.`,
    { code: 'MP_NOT_PLAIN' },
  );
}

export function noObject(id: number): RemoteError {
  return new RemoteError(
    `The manager has no object ${id} that this client may use: it was freed when nothing referred to it any more; keep a proxy while others need it.`,
    { code: 'MP_NO_OBJECT' },
  );
}

export function notExposed(typeid: string, name: unknown, exposed: readonly string[]): RemoteError {
  const known = exposed.length === 0 ? 'nothing is' : `exposed are ${exposed.join(', ')}`;
  return new RemoteError(
    `${typeid}: ${typeof name === 'string' ? `\`${name.slice(0, 60)}\`` : 'this member'} is not exposed; ${known}. Name it in \`exposed\` where the type is registered.`,
    { code: 'MP_NOT_EXPOSED' },
  );
}

export function noType(typeid: unknown, known: readonly string[]): RemoteError {
  return new RemoteError(
    `The manager has no type ${typeof typeid === 'string' ? `\`${typeid.slice(0, 60)}\`` : 'of this name'}; it has ${known.join(', ') || 'none'}. Register it before the server is started.`,
    { code: 'MP_NO_TYPE' },
  );
}

export function notCreated(typeid: string, cause: unknown): RemoteError {
  const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new RemoteError(`The manager could not make a \`${typeid}\`: ${why}`, { code: 'MP_REMOTE', cause });
}

export function badFrame(what: string): RemoteError {
  return new RemoteError(
    `The manager was sent what it does not understand: ${what}; use the same version of the package on both sides.`,
    {
      code: 'MP_BAD_FRAME',
    },
  );
}

export function callerGone(): ConnectionError {
  return new ConnectionError(
    'The client that gave this function to the manager has ended; register it again from one that lives.',
    {
      code: 'MP_CLIENT_LOST',
    },
  );
}

export function released(): ClosedError {
  return new ClosedError('This proxy was disposed of; use it before, or make another one.');
}

export function callTimedOut(what: string, timeout: number): TimeoutError {
  return new TimeoutError(`${what}: no answer from the manager within ${timeout} ms; the call was cancelled there.`);
}

export function notStarted(actor: string): ProcessError {
  return new ProcessError(
    `${actor}: this manager was neither started nor connected; await start() or connect() first.`,
    {
      code: 'MP_NOT_STARTED',
    },
  );
}

export function alreadyStarted(actor: string): ProcessError {
  return new ProcessError(`${actor}: this manager was started or connected before; make a new one.`, {
    code: 'MP_ALREADY_STARTED',
  });
}

export function shutDown(actor: string): ClosedError {
  return new ClosedError(`${actor}: this manager was shut down; make a new one.`);
}

export function noAddress(actor: string): ArgumentError {
  return new ArgumentError(`${actor}: needs the server's address; pass \`address\` to the constructor.`);
}
