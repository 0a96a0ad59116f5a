/** Any function runs in another process, with the variables it captures and the functions it imports. */
import { createHash } from 'node:crypto';
import { Pool } from 'multiprocess';

const salt = 'sea';
await using pool = new Pool();
const digests = await pool.map(
  (name: string) =>
    `${name} ${createHash('sha256')
      .update(salt + name)
      .digest('hex')}`,
  ['anna', 'bo', 'carla'],
);
console.log(digests.join('\n'));
