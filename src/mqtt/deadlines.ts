/** What {@link createDeadlines} keeps in each of its members. A member is in one set of deadlines at a time. */
export interface Timed {
  /** Monotonic milliseconds. Does not change while it is in there. */
  readonly deadlineMs: number
  /** Where in the heap it is; -1: nowhere. */
  place: number
}

/**
 * Members by their deadlines: the next one is always at hand, and any can be taken out at once.
 * A binary heap whose members know their places, so that thousands of waits of different
 * lengths need one timer.
 */
export function createDeadlines<T extends Timed> () {
  const heap: T[] = []

  function put (member: T, place: number): void {
    heap[place] = member
    member.place = place
  }

  /** Moves a member towards the first as long as it is due before the one above it. */
  function rise (member: T): void {
    let place = member.place
    while (place > 0) {
      const parentPlace = (place - 1) >> 1
      const parent = heap[parentPlace]
      if (parent === undefined || parent.deadlineMs <= member.deadlineMs) break
      put(parent, place)
      place = parentPlace
    }
    put(member, place)
  }

  /** Moves a member away from the first as long as one below it is due before it. */
  function sink (member: T): void {
    let place = member.place
    for (;;) {
      const left = heap[2 * place + 1]
      const right = heap[2 * place + 2]
      const sooner = right !== undefined && left !== undefined && right.deadlineMs < left.deadlineMs ? right : left
      if (sooner === undefined || sooner.deadlineMs >= member.deadlineMs) break
      const freed = sooner.place
      put(sooner, place)
      place = freed
    }
    put(member, place)
  }

  /** Adds a member that is in no set of deadlines. */
  function add (member: T): void {
    put(member, heap.length)
    rise(member)
  }

  /** Takes a member out; does nothing where it is not in there. */
  function remove (member: T): void {
    const { place } = member
    if (place === -1) return
    member.place = -1
    const last = heap.pop()
    if (last === undefined || last === member) return
    put(last, place)
    rise(last)
    sink(last)
  }

  return {
    add,
    remove,
    /** The member that is due first; undefined when empty. */
    get first (): T | undefined { return heap[0] },
    /** How many members there are. */
    get size () { return heap.length }
  }
}
