/** A word based on `wish` that does not occur in `text`. */
export function wordNotIn(text: string, wish: string): string {
  let word = wish;
  while (text.includes(word)) word += '$';
  return word;
}
