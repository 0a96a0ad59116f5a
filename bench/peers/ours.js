/** Our pool. */
import { Pool } from 'multiprocess';

export function openOurs(processes) {
  const pool = new Pool({ processes });
  return {
    pool,
    async close() {
      pool.close();
      await pool.join();
    },
  };
}
