/** The known word that was probably meant: at most two letters away, or written in another habit; else `undefined`. */
export function suggestionFor(word: string, known: readonly string[]): string | undefined {
  const plain = plainOf(word);
  const same = known.find((candidate) => plainOf(candidate) === plain);
  if (same !== undefined) return same;
  let best: string | undefined;
  let bestDistance = word.length < 4 ? 2 : 3; // two letters of a word of three are no likeness
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `passwordFile`, `password-file` and `password_file` are one word. */
function plainOf(word: string): string {
  return word.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** Letters to add, remove or change to make one word of the other. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3; // far enough; a long key must not cost its square
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 3;
}
