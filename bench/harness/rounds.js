/**
 * Rounds: every contender once, one after the other, then again. What disturbs the machine then meets all of them alike.
 *
 * A contender with several configurations is searched first, with short runs; its best ones go into the rounds, by
 * the metrics which have a target against it.
 */
import { contend } from './contend.js';

const SEARCHES = 2; // short runs per configuration
const FINALISTS = 2; // configurations per metric which go into the rounds

/** @returns `{ entries, rounds }`: rounds[r][key] is what entry `key` measured in round r, or `{ error }`. */
export async function play(name, benchmark, settings, { rounds: count, cpus, say }) {
  const prepared = { ...settings, ...(await benchmark.prepare?.(settings)) };
  const limits = { cpus, watchdog: (benchmark.watchdog?.(settings) ?? 120) * 1000 };
  const once = (entry, extra) => contend(name, entry.contender, entry.variant, { ...prepared, ...extra }, limits);

  const entries = [];
  for (const contender of Object.keys(benchmark.contenders)) {
    entries.push(...(await finalists(benchmark, contender, once, say)));
  }
  const rounds = [];
  for (let r = 0; r < count; r++) {
    const results = {};
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[(i + r) % entries.length]; // each round starts with another one
      say(`${name}: round ${r + 1} of ${count}, ${entry.label}`);
      results[entry.key] = await once(entry);
      if (results[entry.key].error !== undefined)
        say(`${name}: ${entry.label} failed: ${results[entry.key].error}`, true);
    }
    rounds.push(results);
  }
  return { entries, rounds };
}

async function finalists(benchmark, contender, once, say) {
  const { label, variants } = benchmark.contenders[contender];
  if (variants === undefined) return [{ key: contender, contender, variant: '', label }];
  const entries = Object.keys(variants).map((variant) => ({
    key: `${contender}: ${variant}`,
    contender,
    variant,
    label: `${label} (${variant})`,
  }));
  if (entries.length <= FINALISTS) return entries;
  const tried = [];
  for (let i = 0; i < SEARCHES; i++) {
    for (const entry of entries) {
      say(`searching the best configuration: ${entry.label}`);
      tried.push({ entry, result: await once(entry, benchmark.search) });
    }
  }
  const chosen = new Set();
  const targets = benchmark.targets.filter(({ of }) => of === contender).map(({ metric }) => metric);
  for (const metric of targets.length > 0 ? targets : Object.keys(benchmark.metrics).slice(0, 1)) {
    const sign = benchmark.metrics[metric].lower ? 1 : -1;
    const ranked = tried.filter(({ result }) => Number.isFinite(result[metric]));
    ranked.sort((a, b) => sign * (a.result[metric] - b.result[metric]));
    const best = [...new Set(ranked.map(({ entry }) => entry))];
    for (const entry of best.slice(0, FINALISTS)) chosen.add(entry);
  }
  return entries.filter((entry) => chosen.has(entry));
}
