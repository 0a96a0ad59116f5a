/** The module's functions, as Python has them: the methods of the one {@link forkserver}. */
import { type Forkserver, forkserver } from './forkserver.js';

/**
 * See {@link Forkserver.ensureRunning}.
 * @example
 * import { Process } from 'multiprocess';
 * import { ensureRunning, forkserver } from 'multiprocess/forkserver';
 *
 * ensureRunning(); // loads, while the program does other things
 * const child = await new Process(() => {}, { context: 'forkserver' }).start();
 * console.log(forkserver.pid !== null, await child.exited); // true 0
 */
export const ensureRunning: Forkserver['ensureRunning'] = () => forkserver.ensureRunning();
/**
 * See {@link Forkserver.connectToNewProcess}.
 * @example
 * import { connectToNewProcess } from 'multiprocess/forkserver';
 *
 * if (process.env['ROLE'] === 'child') process.exit(3); // this file is the child's, too
 * else {
 *   const child = { entry: new URL(import.meta.url), name: 'part', env: { ...process.env, ROLE: 'child' } };
 *   await connectToNewProcess(child, (status) => console.log('ended with', status)); // ended with 3
 * }
 */
export const connectToNewProcess: Forkserver['connectToNewProcess'] = (options, onEnd) =>
  forkserver.connectToNewProcess(options, onEnd);
/**
 * See {@link Forkserver.getInheritedFds}.
 * @example
 * import { Process } from 'multiprocess';
 * import { getInheritedFds } from 'multiprocess/forkserver';
 *
 * const look = () => console.log('forked with', typeof getInheritedFds());
 * await (await new Process(look, { context: 'forkserver' }).start()).join();
 * console.log('here', getInheritedFds()); // forked with object here null
 */
export const getInheritedFds: Forkserver['getInheritedFds'] = () => forkserver.getInheritedFds();
/**
 * Names modules that the template of the start method `forkserver` loads before it forks, so that
 * its children have them at once. See {@link Forkserver.setForkserverPreload}.
 * @example
 * import { Pool, setForkserverPreload } from 'multiprocess';
 * import { parse } from 'acorn';
 *
 * setForkserverPreload(['acorn']); // once in the template, in place of once in each worker
 * await using pool = new Pool({ processes: 2, context: 'forkserver' });
 * const count = (source: string) => parse(source, { ecmaVersion: 2024 }).body.length;
 * console.log(await pool.map(count, ['a; b', 'c'])); // [ 2, 1 ]
 */
export const setForkserverPreload: Forkserver['setForkserverPreload'] = (names, options) =>
  forkserver.setForkserverPreload(names, options);
