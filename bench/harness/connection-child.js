/** The other end of bench/connection.js: receives its connection as a message, and counts or echoes. */
import '../../dist/connection/index.js';
import { loads } from '../../dist/reduction/index.js';

const [role, count] = [process.argv[2], Number(process.argv[3])];

process.once('message', async (text) => {
  const connection = loads(Buffer.from(text, 'base64'));
  await connection.send('ready');
  for (const rounds of [count >> 1, count]) await play(connection, rounds); // the first is the warm-up
  connection.close();
  process.disconnect();
});

async function play(connection, rounds) {
  if (role === 'count') {
    for (let i = 0; i < rounds; i++) await connection.recv();
    await connection.send('done');
  } else if (role === 'echo-sync') {
    for (let i = 0; i < rounds; i++) connection.sendBytesSync(connection.recvBytesSync());
  } else {
    for (let i = 0; i < rounds; i++) await connection.sendBytes(await connection.recvBytes());
  }
}
