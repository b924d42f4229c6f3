/** What a {@link Fifo} keeps in each of its members. A member is in one FIFO at a time. */
export interface Linked<T> {
  previous: T | undefined
  next: T | undefined
}

export type Fifo<T extends Linked<T>> = ReturnType<typeof createFifo<T>>

/**
 * A first-in-first-out queue from which any member can be taken at once, linked through its members.
 *
 * A Map or Set would do, but builds its table anew every few deletions: at some thousand
 * members a second that was most of what the garbage collector had to move.
 */
export function createFifo<T extends Linked<T>> () {
  let first: T | undefined
  let last: T | undefined
  let size = 0

  /** Adds a member that is in no FIFO. */
  function push (member: T): void {
    member.previous = last
    if (last === undefined) first = member
    else last.next = member
    last = member
    size += 1
  }

  /** Takes out a member of this FIFO. */
  function remove (member: T): void {
    const { previous, next } = member
    if (previous === undefined) first = next
    else previous.next = next
    if (next === undefined) last = previous
    else next.previous = previous
    // A dead member that still points to its neighbours would keep them from the young generation's collector.
    member.previous = undefined
    member.next = undefined
    size -= 1
  }

  /** Empties it and returns what was in it, in order. */
  function drain (): T[] {
    const members: T[] = []
    while (first !== undefined) {
      members.push(first)
      remove(first)
    }
    return members
  }

  return {
    push,
    remove,
    drain,
    /** The member that was added first; undefined when empty. */
    get first () { return first },
    /** How many members there are. */
    get size () { return size }
  }
}
