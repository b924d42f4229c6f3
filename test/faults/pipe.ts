/** What happens to the bytes of one direction. */
export type PipeMode =
  | { readonly kind: 'pass' }
  /** Keeps them. */
  | { readonly kind: 'hold' }
  /** Loses them; a connection that lost bytes is of no use any more. */
  | { readonly kind: 'swallow' }
  /** Passes each on so many milliseconds later. */
  | { readonly kind: 'delay', readonly ms: number }
  /** Passes them on one by one, so many each millisecond. */
  | { readonly kind: 'drip', readonly bytesPerMs: number }

export const PASS: PipeMode = { kind: 'pass' }
export const HOLD: PipeMode = { kind: 'hold' }
export const SWALLOW: PipeMode = { kind: 'swallow' }

/** Where the bytes of a pipe go. */
export interface Outlet {
  write(chunk: Buffer): void
  /** Nothing more will be written. */
  end(): void
}

export type Pipe = ReturnType<typeof createPipe>

/** One direction of one connection. Keeps the order of the bytes, whatever it does to them. */
export function createPipe (outlet: Outlet, firstMode: PipeMode) {
  let mode = firstMode
  const held: Array<{ chunk: Buffer, atMs: number }> = []
  let timer: NodeJS.Timeout | undefined
  let hasEnded = false
  let hasLost = false

  /** Takes bytes in. */
  function push (chunk: Buffer): void {
    if (mode.kind === 'swallow') {
      hasLost = true
    } else if (mode.kind === 'pass') {
      outlet.write(chunk)
    } else {
      held.push({ chunk, atMs: performance.now() })
      work()
    }
  }

  /** No more bytes will come: the outlet is told after the last of them. */
  function end (): void {
    if (hasEnded) return
    hasEnded = true
    if (mode.kind === 'swallow') hasLost = true
    else finish()
  }

  function finish (): void {
    // The end is held back and lost like the bytes before it.
    if (hasEnded && !hasLost && held.length === 0 && mode.kind !== 'hold') outlet.end()
  }

  /** Changes what happens from now on, also to bytes that are held back. */
  function setMode (next: PipeMode): void {
    clearTimeout(timer)
    timer = undefined
    mode = next
    if (mode.kind === 'pass') {
      for (const { chunk } of held.splice(0)) outlet.write(chunk)
      finish()
    } else if (mode.kind === 'swallow') {
      discard()
    } else {
      work()
    }
  }

  /** Loses what is held back. */
  function discard (): void {
    if (held.splice(0).length > 0) hasLost = true
  }

  /** Passes on what is due, and comes back for the rest. */
  function work (): void {
    if (timer !== undefined || held.length === 0) return
    if (mode.kind === 'delay') {
      passDue(mode.ms)
      const [first] = held
      if (first !== undefined) wait(first.atMs + mode.ms - performance.now())
    } else if (mode.kind === 'drip') {
      passBytes(mode.bytesPerMs)
      if (held.length > 0) wait(1)
    }
    finish()
  }

  function wait (ms: number): void {
    timer = setTimeout(() => {
      timer = undefined
      work()
    }, ms)
  }

  function passDue (ms: number): void {
    const dueMs = performance.now() - ms
    for (let first = held[0]; first !== undefined && first.atMs <= dueMs; first = held[0]) {
      held.shift()
      outlet.write(first.chunk)
    }
  }

  function passBytes (count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const [first] = held
      if (first === undefined) return
      outlet.write(first.chunk.subarray(0, 1))
      first.chunk = first.chunk.subarray(1)
      if (first.chunk.length === 0) held.shift()
    }
  }

  return {
    push,
    end,
    setMode,
    discard,
    /** Whether bytes were lost: the other end will never understand what follows. */
    get hasLost () { return hasLost }
  }
}
