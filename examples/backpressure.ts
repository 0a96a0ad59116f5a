/** An endless source and a slow consumer: the pool reads ahead no further than its window. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'multiprocess';

let pulled = 0;
function* naturals(): Generator<number> {
  for (;;) yield pulled++;
}

await using pool = new Pool({ processes: 2 });
let read = 0;
for await (const square of pool.imap((n: number) => n * n, naturals(), { window: 8 })) {
  read++;
  await sleep(50);
  console.log(`read ${read}: ${square}, ${pulled - read} ahead`);
  if (read === 20) break;
}
