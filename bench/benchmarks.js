/**
 * The benchmarks by name. Each module exports by default
 *
 *   title        what is measured
 *   settings     numbers the contenders get; `quick` replaces some of them for `--quick`
 *   search       settings of the short runs that search a contender's best configuration
 *   prepare      (settings) => more settings, once per benchmark
 *   watchdog     (settings) => seconds a contender may take
 *   rounds       how many rounds, when not the usual number
 *   metrics      { name: { label, unit, lower?, absolute? } }; `lower`: less is better; `absolute`: no ratios
 *   contenders   { ours, … }: { label, variants?, run(settings, variant) => { metric: number } }
 *   targets      [{ metric, of, atLeast | atMost | below }]: the ratio ours / peer; of `ours` or an absolute metric, the value
 */
const load = (path) => async () => (await import(path)).default;

export const benchmarks = {
  apply: load('./apply.js'),
  imap: load('./imap.js'),
  latency: load('./latency.js'),
  cpu: load('./cpu.js'),
  payload: load('./payload.js'),
  backpressure: load('./backpressure.js'),
  'without-addon': load('./without-addon.js'),
};
