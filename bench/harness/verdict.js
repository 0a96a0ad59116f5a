/** From rounds to rows: medians, ratios and targets. */
import { median } from './statistics.js';

/**
 * One row per metric and entry.
 *
 * The ratio of an entry is the median of the ratios ours / entry of each round in which both have a value. A target
 * against a contender with several configurations is held against the one with the best median.
 */
export function judge(benchmark, { entries, rounds }) {
  const oursFailed = rounds.some((round) => round.ours?.error !== undefined);
  const rows = [];
  for (const [metric, { label, unit, lower, absolute }] of Object.entries(benchmark.metrics)) {
    const block = entries.map((entry) => {
      const values = rounds.map((round) => round[entry.key]?.[metric]).filter(Number.isFinite);
      const ratios = rounds.map((round) => round.ours?.[metric] / round[entry.key]?.[metric]).filter(Number.isFinite);
      return {
        metric: label,
        unit,
        entry,
        failed: rounds.filter((round) => round[entry.key]?.error !== undefined).length,
        median: values.length > 0 ? median(values) : undefined,
        min: values.length > 0 ? Math.min(...values) : undefined,
        max: values.length > 0 ? Math.max(...values) : undefined,
        ratio: entry.key !== 'ours' && !absolute && ratios.length > 0 ? median(ratios) : undefined,
      };
    });
    for (const target of benchmark.targets.filter((each) => each.metric === metric)) {
      const candidates = block.filter((row) => row.entry.contender === target.of && row.median !== undefined);
      candidates.sort((a, b) => (lower ? a.median - b.median : b.median - a.median));
      const row = candidates[0] ?? block.find((each) => each.entry.contender === target.of);
      if (row !== undefined) Object.assign(row, verdict(row, target, absolute, oursFailed));
    }
    rows.push(...block.filter((row) => row.median !== undefined || row.failed > 0));
  }
  return rows;
}

/**
 * A target is about the ratio to a peer, or about the value itself: for `ours`, and where a ratio says nothing (`absolute`).
 * `atLeast` and `atMost` include their number, `below` does not.
 */
function verdict(row, { of, atLeast, atMost, below }, absolute, oursFailed) {
  const relative = of !== 'ours' && !absolute;
  const number = relative ? row.ratio : row.median;
  const [sign, limit, holds] =
    atLeast !== undefined
      ? ['≥', atLeast, number >= atLeast]
      : atMost !== undefined
        ? ['≤', atMost, number <= atMost]
        : ['<', below, number < below];
  return {
    target: `${sign} ${limit}${relative ? 'x' : ''}`,
    reached: holds && (relative ? !oursFailed : row.failed === 0),
  };
}
