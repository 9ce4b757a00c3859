/** What can stand in a roster. */
export interface Placed {
  /** Where it stands; for the roster alone. -1 = in none. */
  place: number;
}

/**
 * Things that come and go all the time, in no order: the last one takes the place of one that leaves.
 *
 * Not a `Set`: when its table is full V8 makes another, and lets the former point to it. Once one of these tables is
 * among the old objects, each that follows survives the collections of young ones, and with it all that stood in it,
 * gone or not.
 */
export class Roster<T extends Placed> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  /** `member` stands in no roster. */
  add(member: T): void {
    member.place = this.#members.length;
    this.#members.push(member);
  }

  /** False = it does not stand in this one. */
  delete(member: T): boolean {
    const { place } = member;
    if (this.#members[place] !== member) return false;
    const last = this.#members.pop()!;
    if (last !== member) {
      this.#members[place] = last;
      last.place = place;
    }
    member.place = -1;
    return true;
  }

  /** From the last to the first, so that whoever is looked at may leave; who comes meanwhile is left out. */
  *[Symbol.iterator](): Generator<T, void> {
    for (let place = this.#members.length - 1; place >= 0; place--) {
      const member = this.#members[place];
      if (member !== undefined) yield member;
    }
  }
}
