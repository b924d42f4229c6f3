/**
 * Runs something for each member, in their order and at most so many at a time. Where half of those are done, others are
 * begun together: what is written in one turn of the event loop goes out as one.
 * @throws whatever a run rejects with; others may still be under way then, and more of them begin
 */
export function forEachAtMost<T> (members: readonly T[], atMost: number, run: (member: T) => Promise<void>): Promise<void> {
  const refillAt = Math.floor(atMost / 2)
  const rest = members.values()
  let running = 0
  let isEmpty = false

  return new Promise((resolve, reject) => {
    function fill (): void {
      while (running < atMost) {
        const { done, value } = rest.next()
        if (done === true) {
          isEmpty = true
          break
        }
        running += 1
        run(value).then(end, reject)
      }
      if (isEmpty && running === 0) resolve()
    }

    function end (): void {
      running -= 1
      if (running <= refillAt) fill()
    }

    fill()
  })
}
