/**
 * As many lines and columns of nothing, for a member of a class: what stands before may end with
 * the semicolon only.
 */
export function blank(text: string): string {
  return text.replace(/[^\n\r\u2028\u2029]/g, ' ').replace(' ', ';');
}

/** A word based on `wish` that does not occur in `text`. */
export function wordNotIn(text: string, wish: string): string {
  let word = wish;
  while (text.includes(word)) word += '$';
  return word;
}

const LETTERS = '$_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/**
 * A word of a width that is no word of `text`, and none of `taken`; or null. What takes the place
 * of a name and is as wide leaves all behind it in its column.
 */
export function wordOfWidth(text: string, width: number, taken: readonly string[]): string | null {
  for (const letter of LETTERS) {
    const word = letter + '$'.repeat(width - 1);
    if (!taken.includes(word) && !hasWord(text, word)) return word;
  }
  return null;
}

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!/[\w$]/.test(text[at - 1] ?? '') && !/[\w$]/.test(text[at + word.length] ?? '')) return true;
  }
  return false;
}
