/** Words longer than this are compared by their beginning only: no name of ours is longer. */
const comparedLettersMax = 64;

/**
 * The name of `known` that `word` most likely meant, for "did you mean" in errors: the fewest letters inserted,
 * removed, changed or swapped with a neighbour (optimal string alignment distance), case aside. Undefined when
 * none is near: more than a third of the longer word would have to change. Of equals, the first in `known`.
 */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let fewestEdits = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const edits = editsBetween(letters(word), letters(name));
    const editsMax = Math.max(1, Math.floor(Math.max(word.length, name.length) / 3));
    if (edits <= editsMax && edits < fewestEdits && edits < name.length) {
      fewestEdits = edits;
      nearest = name;
    }
  }
  return nearest;
}

/** `; did you mean "replicas"?`, or nothing: the end of an error message about an unknown name. */
export function didYouMean(word: string, known: readonly string[]): string {
  const nearest = nearestName(word, known);
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
}

function letters(word: string): readonly string[] {
  return [...word.slice(0, comparedLettersMax).toLowerCase()];
}

function editsBetween(a: readonly string[], b: readonly string[]): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let edits = Math.min(current[column - 1]! + 1, last[column]! + 1, last[column - 1]! + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) edits = Math.min(edits, beforeLast[column - 2]! + 1);
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
