/** A place in a trace, as the headers of W3C Trace Context say it. */
export interface TraceContext {
  /** Undefined: there is none. */
  readonly traceparent: string | undefined
  /** What the tracing systems on the way keep there; undefined: nothing. */
  readonly tracestate: string | undefined
}

/** Without a version of ff and ids of nothing but zeros, which are malformed, too (W3C Trace Context, section 3.2.2). */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** Longest `tracestate` that is passed on, in characters (W3C Trace Context, section 3.3.1.5). */
const MAX_TRACESTATE = 512

/** What is no text, or more than is to be passed on, is left out: it is somebody else's. */
export function tracestateOf (header: unknown): string | undefined {
  return typeof header === 'string' && header.length <= MAX_TRACESTATE ? header : undefined
}

/** A trace context of somebody else's; one that is malformed is to be ignored (W3C Trace Context, section 3.2.2). */
export function traceparentOf (header: unknown): string | undefined {
  return typeof header === 'string' && TRACEPARENT.test(header) ? header : undefined
}
