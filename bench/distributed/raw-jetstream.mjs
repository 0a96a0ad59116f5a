/** What JetStream does by itself: pulls messages, acknowledges them. `node raw-jetstream.mjs <servers>`. */
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const nc = await connect({ servers: process.argv[2] });
const consumer = await jetstream(nc).consumers.get('RAW', 'raw');
const messages = await consumer.consume({ max_messages: 128 });
process.send('ready');
for await (const message of messages) message.ack();
