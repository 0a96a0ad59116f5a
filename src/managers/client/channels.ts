/**
 * The channels of this thread: one for each server and key, which all managers and proxies share.
 */
import { ArgumentError } from '../../errors/index.js';
import { type Serializer, serializerOf } from '../../reduction/index.js';
import { registerAfterFork } from '../../util/after-fork.js';
import { keyOfAddress } from '../address.js';
import { setAttach } from '../proxy.js';
import { keyTo, tlsFor } from './keys.js';
import { type ChannelDirectory, RemoteChannel } from './remote-channel.js';
import type { ServerAccess } from './server-connection.js';

/** By address and key. */
const channels = new Map<string, RemoteChannel>();
/** By the name of the server that they are connected to. */
const bySession = new Map<string, RemoteChannel>();

const directory: ChannelDirectory = {
  reached: (channel, server) => void bySession.set(server, channel),
  left: (channel, server) => {
    if (bySession.get(server) === channel) bySession.delete(server);
  },
  forget: (channel) => {
    const key = keyOfAccess(channel.access);
    if (channels.get(key) === channel) channels.delete(key);
  },
};

registerAfterFork(channels, () => {
  for (const channel of channels.values()) channel.forked();
});

/** Returns the channel of this thread to a server, for who has the key. */
export function channelTo(access: ServerAccess): RemoteChannel {
  const key = keyOfAccess(access);
  let channel = channels.get(key);
  if (channel === undefined) {
    channel = new RemoteChannel(access, directory);
    channels.set(key, channel);
  }
  return channel;
}

function keyOfAccess({ address, authkey, serializer }: ServerAccess): string {
  return `${keyOfAddress(address)} ${Buffer.from(authkey).toString('hex')} ${numberOf(serializer)}`;
}

const serializers = new WeakMap<Serializer, number>();
let lastSerializer = 0;

function numberOf(serializer: Serializer): number {
  let number = serializers.get(serializer);
  if (number === undefined) {
    number = ++lastSerializer;
    serializers.set(serializer, number);
  }
  return number;
}

setAttach((handle, type) => {
  const { server, address, tls, key } = handle;
  const authkey = keyTo(address, key);
  const secured = tls === true ? tlsFor(address) : undefined;
  const channel =
    bySession.get(server) ??
    channelTo({ address, name: 'of the proxy', authkey, tls: secured, serializer: namedSerializer(handle.serializer) });
  return channel.attachHandle(handle, type);
});

function namedSerializer(name: string | undefined): Serializer {
  if (name === undefined || name === 'msgpackr') return serializerOf('manager', name);
  throw new ArgumentError(
    'A proxy has come whose server has a serializer of its own, which is not known here; connect() a manager with this `serializer` to its address first.',
  );
}
