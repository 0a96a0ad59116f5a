/**
 * A producer: puts the files it is told of. It waits where the desk has no room.
 *
 *   DESK_KEY=... node .build/examples/producers-consumers/producer.js HOST:PORT FILE...
 */
import { readFile } from 'node:fs/promises';
import { connectDesk } from './client.js';

const [address = '', ...files] = process.argv.slice(2);
const { desk, close } = await connectDesk(address);
await desk.produce();
for (const name of files) {
  console.log(`puts ${name}`);
  await desk.put({ name, text: await readFile(name, 'utf8') });
}
await close();
console.log(`a producer has put ${files.length} jobs`);
