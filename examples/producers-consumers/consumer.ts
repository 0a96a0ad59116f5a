/**
 * A consumer: counts words, job by job, until all are done.
 *
 *   DESK_KEY=... node .build/examples/producers-consumers/consumer.js HOST:PORT
 */
import { countWords } from '../text-search/words.js';
import { connectDesk } from './client.js';

const [address = ''] = process.argv.slice(2);
const { desk, close } = await connectDesk(address);
console.log('waits for jobs');
let jobs = 0;
for (let job = await desk.take(); job !== null; job = await desk.take()) {
  console.log(`takes ${job.name}`);
  await desk.done(job.name, countWords(job.text));
  jobs++;
}
await close();
console.log(`a consumer has done ${jobs} jobs`);
