/** What queues and topics of many hosts have in common: a connection, who puts, how they end. */
export { Channel, type ChannelReader } from './channel.js';
export { ItemFeed } from './item-feed.js';
export { brokerSilent, drained, empty } from './messages.js';
export { changeLimits, deleteChannel, type StreamLimits } from './streams.js';
export type { End } from './writer-table.js';
