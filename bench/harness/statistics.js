/** Numbers about samples. None of them changes its argument. */

export function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)];
  return low + (sorted[Math.ceil(at)] - low) * (at % 1);
}

export const median = (values) => quantile(values, 0.5);

/** Slope of the least-squares line through (x, y). */
export function slope(xs, ys) {
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const [mx, my] = [mean(xs), mean(ys)];
  let over = 0;
  let under = 0;
  for (let i = 0; i < xs.length; i++) {
    over += (xs[i] - mx) * (ys[i] - my);
    under += (xs[i] - mx) ** 2;
  }
  return under === 0 ? 0 : over / under;
}
