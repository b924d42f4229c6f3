/** The part of autocannon that we use; it has no types of its own. */
declare module 'autocannon' {
  interface Message {
    body?: string
    headers?: Record<string, string>
  }

  export interface Request extends Message {
    /** Makes the request anew each time, out of what is there. */
    setupRequest?: (request: Message) => Message
  }

  interface Options {
    url: string
    method: 'POST'
    headers: Readonly<Record<string, string>>
    /** Each connection cycles through them, from the first. */
    requests: Request[]
    connections: number
    /** Requests over all connections; in place of `duration`. */
    amount?: number
    /** In seconds. */
    duration?: number
    /** Requests a second over all connections. Default: as many as can be. */
    overallRate?: number
    /** Longest wait for an answer, in seconds. */
    timeout: number
    /** Between two looks at whether it is done, in milliseconds. Default: 1000. */
    sampleInt?: number
  }

  interface Result {
    /** Connections that failed, and requests that timed out. */
    errors: number
    /** Those among them that timed out. */
    timeouts: number
    /** Answers by status, e.g. `{ 200: { count: 5 } }`. */
    statusCodeStats: Record<string, { count: number }>
  }

  interface Run extends Promise<Result> {
    on(event: 'response', listener: (client: unknown, statusCode: number, bytes: number, responseMs: number) => void): unknown
  }

  function autocannon (options: Options): Run

  namespace autocannon {
    /** Shows on standard error what runs and, on a terminal, how far it is. */
    function track (run: Run, options: { renderResultsTable: false }): void
  }

  export default autocannon
}
