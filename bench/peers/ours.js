/** Our pools: processes, or threads. */
import { Pool } from 'multiprocess';

export function openOurs(processes, context = 'spawn') {
  const pool = new Pool({ processes, context });
  return {
    pool,
    async close() {
      pool.close();
      await pool.join();
    },
  };
}
