/** A chain of Collatz: from its start on, half of an even number, three times an odd one and one, down to 1. */
export interface Chain {
  readonly start: number;
  readonly length: number;
}

/** The longest chain that starts in `from` up to, not including, `to`. */
export function longestChain(from: number, to: number): Chain {
  let longest: Chain = { start: 0, length: 0 };
  for (let start = Math.max(from, 1); start < to; start++) {
    let length = 1;
    for (let n = start; n !== 1; length++) n = n % 2 === 0 ? n / 2 : 3 * n + 1;
    if (length > longest.length) longest = { start, length };
  }
  return longest;
}
