/**
 * One contender in one round, in a process of its own: prints one line of JSON.
 *
 *   node bench/harness/child.js BENCHMARK CONTENDER VARIANT SETTINGS
 *
 * Ends when its parent does: its standard input is a pipe that the parent never writes to.
 */
import { benchmarks } from '../benchmarks.js';

const [, , name, contender, variant, settings] = process.argv;
process.stdin.on('close', () => process.exit(3)).resume();
process.stdin.unref?.();

const benchmark = await benchmarks[name]();
const { run, variants } = benchmark.contenders[contender];
const result = await run(JSON.parse(settings), variants?.[variant]);
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
