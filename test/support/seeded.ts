import { randomFrom } from '../fixtures/random.mjs';

/** Random numbers that a seed repeats: MULTIPROCESS_SEED, or the time. It is printed. */
export function seeded(label = ''): { seed: number; random: (n: number) => number } {
  const seed = Number(process.env['MULTIPROCESS_SEED'] ?? Date.now() % 1_000_000);
  console.info(`${label}seed ${seed}`);
  return { seed, random: randomFrom(seed) };
}
