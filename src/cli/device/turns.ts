/**
 * Lets so many do something at once, the others after them, first come first served:
 * a thousand devices that connect in one moment would look like an attack to a broker.
 */
export function createTurns (places: number) {
  let taken = 0
  const waiting = new Set<(release: () => void) => void>()

  function next (): void {
    for (const run of waiting) {
      if (taken >= places) return
      waiting.delete(run)
      taken += 1
      let released = false
      run(() => {
        if (released) return
        released = true
        taken -= 1
        next()
      })
    }
  }

  return {
    /**
     * Calls `run` when it is its turn, which lasts until it calls `release`.
     * @returns a function that gives up waiting; once it was called, nothing happens
     */
    take (run: (release: () => void) => void): () => void {
      waiting.add(run)
      next()
      return () => { waiting.delete(run) }
    }
  }
}
